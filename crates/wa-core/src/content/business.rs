//! Buttons, lists, templates, native flows and what is chosen of them; products and orders (chapter 05 §11.14, §11.20).
//! The live server refuses the askers from ordinary accounts, so they are received; the replies are sent as well.

use bytes::Bytes;
use wa_binary::Jid;
use wa_proto::e2e_message::HydratedTemplateButton;
use wa_proto::e2e_message::Message;
use wa_proto::e2e_message::hydrated_template_button::HydratedButton;
use wa_proto::e2e_message::message::interactive_message::InteractiveMessage as Flow;
use wa_proto::e2e_message::message::interactive_message::header::Media as HeaderMedia;
use wa_proto::e2e_message::message::interactive_response_message::{
    Body as ResponseBody, InteractiveResponseMessage as FlowReply, NativeFlowResponseMessage,
};
use wa_proto::e2e_message::message::template_message::hydrated_four_row_template::Title;
use wa_proto::e2e_message::message::template_message::{Format, HydratedFourRowTemplate};
use wa_proto::e2e_message::message::{
    ButtonsMessage, ButtonsResponseMessage, InteractiveMessage, InteractiveResponseMessage, ListMessage,
    ListResponseMessage, OrderMessage, ProductMessage, TemplateButtonReplyMessage, TemplateMessage,
    buttons_message, buttons_response_message, list_response_message,
};

use super::{Content, Image, Video, jid, said};

/// Something to press.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Button {
    /// What stands on it.
    pub text: String,
    /// What happens.
    pub action: ButtonAction,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ButtonAction {
    /// Replies with this id.
    Reply(String),
    /// Opens a page.
    Open(String),
    /// Calls a number.
    Call(String),
    /// A native flow: its name and its parameters as JSON.
    Flow {
        /// `quick_reply`, `cta_url`, `single_select` and so on.
        name: String,
        /// Parameters as JSON.
        params: String,
    },
}

impl Default for ButtonAction {
    fn default() -> Self {
        Self::Reply(String::new())
    }
}

/// A text with buttons.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Buttons {
    /// The text.
    pub text: String,
    /// A file or a place above it.
    pub header: Option<Box<Content>>,
    /// A title above it.
    pub title: Option<String>,
    /// Small print.
    pub footer: Option<String>,
    /// The buttons.
    pub buttons: Vec<Button>,
}

/// A list to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct List {
    /// Its title.
    pub title: Option<String>,
    /// What it is about.
    pub text: String,
    /// What stands on the button that opens it.
    pub button: Option<String>,
    /// Small print.
    pub footer: Option<String>,
    /// The choices.
    pub sections: Vec<Section>,
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// Its title.
    pub title: Option<String>,
    /// Its choices.
    pub rows: Vec<Row>,
}

/// A choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// What a reply names it by.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What it is.
    pub description: Option<String>,
}

/// A template of a business.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Template {
    /// Its id.
    pub id: Option<String>,
    /// A title above the text.
    pub title: Option<String>,
    /// A file or a place above the text.
    pub header: Option<Box<Content>>,
    /// The text.
    pub text: String,
    /// Small print.
    pub footer: Option<String>,
    /// The buttons.
    pub buttons: Vec<Button>,
}

/// Native-flow buttons, a row of cards, a shop.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Interactive {
    /// A title above the text.
    pub title: Option<String>,
    /// Below the title.
    pub subtitle: Option<String>,
    /// A file, place or product above the text.
    pub header: Option<Box<Content>>,
    /// The text.
    pub text: String,
    /// Small print.
    pub footer: Option<String>,
    /// The buttons.
    pub buttons: Vec<Button>,
    /// Cards side by side.
    pub cards: Vec<Interactive>,
}

/// What somebody chose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ButtonReply {
    /// Id of what was chosen.
    pub id: String,
    /// What stood on it.
    pub text: Option<String>,
    /// What it was chosen of.
    pub to: ReplyTo,
}

/// What was replied to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyTo {
    /// A text with buttons.
    Buttons,
    /// A list.
    List,
    /// A template; the number of its button.
    Template(u32),
    /// A native flow, whose name is the reply's id; its answer as JSON.
    Flow(String),
}

/// A product of a catalogue.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Product {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Thousandths of the currency.
    pub price_1000: Option<i64>,
    /// Its page.
    pub url: Option<String>,
    /// Its picture.
    pub image: Option<Box<Image>>,
    /// Whose it is.
    pub business: Option<Jid>,
    /// A text with it.
    pub text: Option<String>,
}

/// An order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: Option<String>,
    /// A text with it.
    pub text: Option<String>,
    /// How many items.
    pub items: u32,
    /// Who sells.
    pub seller: Option<Jid>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Thousandths of the currency.
    pub total_1000: Option<i64>,
    /// What its details are asked for with.
    pub token: Option<String>,
    /// A small JPEG.
    pub preview: Option<Bytes>,
}

impl ButtonReply {
    /// A reply to buttons, a list, a template or a flow.
    pub fn new(id: impl Into<String>, text: Option<String>, to: ReplyTo) -> Self {
        Self { id: id.into(), text, to }
    }

    pub(super) fn write(&self) -> Message {
        let (id, text) = (Some(self.id.clone()), self.text.clone());
        let message = Message::default();
        match &self.to {
            ReplyTo::Buttons => Message {
                buttons_response_message: Some(Box::new(ButtonsResponseMessage {
                    selected_button_id: id,
                    r#type: Some(buttons_response_message::Type::DisplayText.into()),
                    response: text.map(buttons_response_message::Response::SelectedDisplayText),
                    ..ButtonsResponseMessage::default()
                })),
                ..message
            },
            ReplyTo::List => Message {
                list_response_message: Some(Box::new(ListResponseMessage {
                    title: text,
                    list_type: Some(list_response_message::ListType::SingleSelect.into()),
                    single_select_reply: Some(Box::new(list_response_message::SingleSelectReply {
                        selected_row_id: id,
                    })),
                    ..ListResponseMessage::default()
                })),
                ..message
            },
            ReplyTo::Template(index) => Message {
                template_button_reply_message: Some(Box::new(TemplateButtonReplyMessage {
                    selected_id: id,
                    selected_display_text: text,
                    selected_index: Some(*index),
                    ..TemplateButtonReplyMessage::default()
                })),
                ..message
            },
            ReplyTo::Flow(params) => Message {
                interactive_response_message: Some(Box::new(InteractiveResponseMessage {
                    body: Some(Box::new(ResponseBody { text, ..ResponseBody::default() })),
                    interactive_response_message: Some(FlowReply::NativeFlowResponseMessage(Box::new(
                        NativeFlowResponseMessage {
                            name: id,
                            params_json: Some(params.clone()),
                            ..NativeFlowResponseMessage::default()
                        },
                    ))),
                    ..InteractiveResponseMessage::default()
                })),
                ..message
            },
        }
    }
}

impl From<&ButtonsResponseMessage> for ButtonReply {
    fn from(message: &ButtonsResponseMessage) -> Self {
        let text = message.response.as_ref().map(|response| match response {
            buttons_response_message::Response::SelectedDisplayText(text) => text.clone(),
        });
        Self { id: message.selected_button_id().to_owned(), text, to: ReplyTo::Buttons }
    }
}

impl From<&ListResponseMessage> for ButtonReply {
    fn from(message: &ListResponseMessage) -> Self {
        let id = message.single_select_reply.as_deref().map(|reply| reply.selected_row_id().to_owned());
        Self { id: id.unwrap_or_default(), text: said(message.title.as_ref()), to: ReplyTo::List }
    }
}

impl From<&TemplateButtonReplyMessage> for ButtonReply {
    fn from(message: &TemplateButtonReplyMessage) -> Self {
        Self {
            id: message.selected_id().to_owned(),
            text: said(message.selected_display_text.as_ref()),
            to: ReplyTo::Template(message.selected_index()),
        }
    }
}

impl From<&InteractiveResponseMessage> for ButtonReply {
    fn from(message: &InteractiveResponseMessage) -> Self {
        let text = message.body.as_deref().and_then(|body| said(body.text.as_ref()));
        let (id, params) = match &message.interactive_response_message {
            Some(FlowReply::NativeFlowResponseMessage(flow)) => {
                (flow.name().to_owned(), flow.params_json().to_owned())
            }
            None => Default::default(),
        };
        Self { id, text, to: ReplyTo::Flow(params) }
    }
}

impl From<&ButtonsMessage> for Buttons {
    fn from(message: &ButtonsMessage) -> Self {
        use buttons_message::Header;
        let (title, header) = match &message.header {
            Some(Header::Text(text)) => (Some(text.clone()), None),
            Some(Header::DocumentMessage(document)) => (None, Some(Content::Document((&**document).into()))),
            Some(Header::ImageMessage(image)) => (None, Some(Content::Image((&**image).into()))),
            Some(Header::VideoMessage(video)) => (None, Some(Content::Video(Video::read(video, false)))),
            Some(Header::LocationMessage(place)) => (None, Some(Content::Location((&**place).into()))),
            None => (None, None),
        };
        let button = |button: &buttons_message::Button| {
            let text = button.button_text.as_deref().map(|text| text.display_text().to_owned());
            let action = match button.native_flow_info.as_deref() {
                Some(flow) => {
                    ButtonAction::Flow { name: flow.name().to_owned(), params: flow.params_json().to_owned() }
                }
                None => ButtonAction::Reply(button.button_id().to_owned()),
            };
            Button { text: text.unwrap_or_default(), action }
        };
        Self {
            text: message.content_text().to_owned(),
            header: header.map(Box::new),
            title: title.filter(|title| !title.is_empty()),
            footer: said(message.footer_text.as_ref()),
            buttons: message.buttons.iter().map(button).collect(),
        }
    }
}

impl From<&ListMessage> for List {
    fn from(message: &ListMessage) -> Self {
        let section = |section: &wa_proto::e2e_message::message::list_message::Section| Section {
            title: said(section.title.as_ref()),
            rows: section
                .rows
                .iter()
                .map(|row| Row {
                    id: row.row_id().to_owned(),
                    title: row.title().to_owned(),
                    description: said(row.description.as_ref()),
                })
                .collect(),
        };
        Self {
            title: said(message.title.as_ref()),
            text: message.description().to_owned(),
            button: said(message.button_text.as_ref()),
            footer: said(message.footer_text.as_ref()),
            sections: message.sections.iter().map(section).collect(),
        }
    }
}

impl From<&TemplateMessage> for Template {
    fn from(message: &TemplateMessage) -> Self {
        let hydrated = match &message.format {
            Some(Format::HydratedFourRowTemplate(template)) => Some(&**template),
            Some(Format::InteractiveMessageTemplate(interactive)) => {
                let interactive = Interactive::from(&**interactive);
                return Self {
                    id: said(message.template_id.as_ref()),
                    title: interactive.title,
                    header: interactive.header,
                    text: interactive.text,
                    footer: interactive.footer,
                    buttons: interactive.buttons,
                };
            }
            // The form that only the official client can fill in.
            Some(Format::FourRowTemplate(_)) | None => None,
        };
        let hydrated = hydrated.or(message.hydrated_template.as_deref());
        let mut template = hydrated.map_or_else(Self::default, Self::from);
        if let Some(id) = said(message.template_id.as_ref()) {
            template.id = Some(id);
        }
        template
    }
}

impl From<&HydratedFourRowTemplate> for Template {
    fn from(template: &HydratedFourRowTemplate) -> Self {
        let (title, header) = match &template.title {
            Some(Title::HydratedTitleText(text)) => (Some(text.clone()), None),
            Some(Title::DocumentMessage(document)) => (None, Some(Content::Document((&**document).into()))),
            Some(Title::ImageMessage(image)) => (None, Some(Content::Image((&**image).into()))),
            Some(Title::VideoMessage(video)) => (None, Some(Content::Video(Video::read(video, false)))),
            Some(Title::LocationMessage(place)) => (None, Some(Content::Location((&**place).into()))),
            None => (None, None),
        };
        Self {
            id: said(template.template_id.as_ref()),
            title,
            header: header.map(Box::new),
            text: template.hydrated_content_text().to_owned(),
            footer: said(template.hydrated_footer_text.as_ref()),
            buttons: template.hydrated_buttons.iter().filter_map(template_button).collect(),
        }
    }
}

fn template_button(button: &HydratedTemplateButton) -> Option<Button> {
    Some(match button.hydrated_button.as_ref()? {
        HydratedButton::QuickReplyButton(reply) => Button {
            text: reply.display_text().to_owned(),
            action: ButtonAction::Reply(reply.id().to_owned()),
        },
        HydratedButton::UrlButton(open) => {
            Button { text: open.display_text().to_owned(), action: ButtonAction::Open(open.url().to_owned()) }
        }
        HydratedButton::CallButton(call) => Button {
            text: call.display_text().to_owned(),
            action: ButtonAction::Call(call.phone_number().to_owned()),
        },
    })
}

impl From<&InteractiveMessage> for Interactive {
    fn from(message: &InteractiveMessage) -> Self {
        let header = message.header.as_deref();
        let content = header.and_then(|header| header.media.as_ref()).and_then(|media| match media {
            HeaderMedia::DocumentMessage(document) => Some(Content::Document((&**document).into())),
            HeaderMedia::ImageMessage(image) => Some(Content::Image((&**image).into())),
            HeaderMedia::VideoMessage(video) => Some(Content::Video(Video::read(video, false))),
            HeaderMedia::LocationMessage(place) => Some(Content::Location((&**place).into())),
            HeaderMedia::ProductMessage(product) => Some(Content::Product((&**product).into())),
            HeaderMedia::JpegThumbnail(_) => None,
        });
        let (buttons, cards) = match &message.interactive_message {
            Some(Flow::NativeFlowMessage(flow)) => {
                let button = |button: &wa_proto::e2e_message::message::interactive_message::native_flow_message::NativeFlowButton| {
                    let (name, params) = (button.name().to_owned(), button.button_params_json().to_owned());
                    Button { text: String::new(), action: ButtonAction::Flow { name, params } }
                };
                (flow.buttons.iter().map(button).collect(), Vec::new())
            }
            Some(Flow::CarouselMessage(cards)) => (Vec::new(), cards.cards.iter().map(Self::from).collect()),
            Some(Flow::ShopStorefrontMessage(_) | Flow::CollectionMessage(_)) | None => Default::default(),
        };
        Self {
            title: header.and_then(|header| said(header.title.as_ref())),
            subtitle: header.and_then(|header| said(header.subtitle.as_ref())),
            header: content.map(Box::new),
            text: message.body.as_deref().map(|body| body.text().to_owned()).unwrap_or_default(),
            footer: message.footer.as_deref().and_then(|footer| said(footer.text.as_ref())),
            buttons,
            cards,
        }
    }
}

impl From<&ProductMessage> for Product {
    fn from(message: &ProductMessage) -> Self {
        let business = jid(message.business_owner_jid.as_ref());
        let text = said(message.body.as_ref());
        let Some(product) = message.product.as_deref() else {
            let title = message.catalog.as_deref().and_then(|catalog| said(catalog.title.as_ref()));
            return Self { title, business, text, ..Self::default() };
        };
        Self {
            id: product.product_id().to_owned(),
            title: said(product.title.as_ref()),
            description: said(product.description.as_ref()),
            currency: said(product.currency_code.as_ref()),
            price_1000: product.price_amount1000,
            url: said(product.url.as_ref()),
            image: product.product_image.as_deref().map(|image| Box::new(image.into())),
            business,
            text,
        }
    }
}

impl From<&OrderMessage> for Order {
    fn from(message: &OrderMessage) -> Self {
        Self {
            id: message.order_id().to_owned(),
            title: said(message.order_title.as_ref()),
            text: said(message.message.as_ref()),
            items: message.item_count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
            seller: jid(message.seller_jid.as_ref()),
            currency: said(message.total_currency_code.as_ref()),
            total_1000: message.total_amount1000,
            token: said(message.token.as_ref()),
            preview: message.thumbnail.clone(),
        }
    }
}
