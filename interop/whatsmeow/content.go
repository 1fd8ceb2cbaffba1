// What a message says, in the words that all drivers share (docs/interop.md): `shown` for what whatsmeow decrypted,
// `composed` for the protobuf message that its SendMessage takes, with its builders where it has them.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	"go.mau.fi/whatsmeow"
	waCommon "go.mau.fi/whatsmeow/proto/waCommon"
	waE2E "go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Fields of a message: what is sent, and what is printed.
type fields = map[string]any

// What is given for a message to send, and printed of one that came.
type said struct {
	Target      string   `json:"target,omitempty"`
	Quote       string   `json:"quote,omitempty"`
	Text        string   `json:"text,omitempty"`
	Mentions    []string `json:"mentions,omitempty"`
	Everyone    bool     `json:"everyone,omitempty"`
	Expires     uint32   `json:"expires,omitempty"`
	On          bool     `json:"on,omitempty"`
	Link        string   `json:"link,omitempty"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Background  uint32   `json:"background,omitempty"`
	Font        int32    `json:"font,omitempty"`
	Path        string   `json:"path,omitempty"`
	Mime        string   `json:"mime,omitempty"`
	FileName    string   `json:"file_name,omitempty"`
	Seconds     uint32   `json:"seconds,omitempty"`
	Waveform    string   `json:"waveform,omitempty"`
	ViewOnce    bool     `json:"view_once,omitempty"`
	Album       string   `json:"album,omitempty"`
	Images      uint32   `json:"images,omitempty"`
	Videos      uint32   `json:"videos,omitempty"`
	Cards       []card   `json:"cards,omitempty"`
	Latitude    float64  `json:"latitude,omitempty"`
	Longitude   float64  `json:"longitude,omitempty"`
	Name        string   `json:"name,omitempty"`
	Address     string   `json:"address,omitempty"`
	Accuracy    uint32   `json:"accuracy,omitempty"`
	Sequence    int64    `json:"sequence,omitempty"`
	Question    string   `json:"question,omitempty"`
	Options     []string `json:"options,omitempty"`
	Choices     int      `json:"choices,omitempty"`
	Chosen      []string `json:"chosen,omitempty"`
	StartsAt    int64    `json:"starts_at,omitempty"`
	Place       string   `json:"place,omitempty"`
	Answer      string   `json:"answer,omitempty"`
	Group       string   `json:"group,omitempty"`
	Code        string   `json:"code,omitempty"`
	ExpiresAt   int64    `json:"expires_at,omitempty"`
	Button      string   `json:"button,omitempty"`
	Buttons     []button `json:"buttons,omitempty"`
	Choice      string   `json:"choice,omitempty"`
	Index       uint32   `json:"index,omitempty"`
	Params      string   `json:"params,omitempty"`
	Quiz        string   `json:"quiz,omitempty"`
	// The whole message, for kind "raw".
	Message json.RawMessage `json:"message,omitempty"`
}

type card struct {
	Name   string `json:"name"`
	Number string `json:"number"`
}

type button struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// A message that was received or sent: what others refer to.
type known struct {
	info    types.MessageInfo
	message *waE2E.Message
}

var wid = regexp.MustCompile(`waid=(\d+)`)

func cardOf(it *waE2E.ContactMessage) card {
	number := ""
	if found := wid.FindStringSubmatch(it.GetVcard()); found != nil {
		number = found[1]
	}
	return card{Name: it.GetDisplayName(), Number: number}
}

func (one card) message() *waE2E.ContactMessage {
	vcard := fmt.Sprintf("BEGIN:VCARD\nVERSION:3.0\nN:;%s;;;\nFN:%s\nTEL;type=CELL;waid=%s:+%s\nEND:VCARD",
		one.Name, one.Name, one.Number, one.Number)
	return &waE2E.ContactMessage{DisplayName: &one.Name, Vcard: &vcard}
}

// The one kind of content that is set, as a message of its own.
func content(message *waE2E.Message) protoreflect.Message {
	var found protoreflect.Message
	message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := field.Name()
		if field.Kind() != protoreflect.MessageKind || name == "messageContextInfo" || name == "senderKeyDistributionMessage" {
			return true
		}
		found = value.Message()
		return false
	})
	return found
}

func poll(message *waE2E.Message) *waE2E.PollCreationMessage {
	for _, it := range []*waE2E.PollCreationMessage{
		message.PollCreationMessage, message.PollCreationMessageV2, message.PollCreationMessageV3, message.PollCreationMessageV5,
	} {
		if it != nil {
			return it
		}
	}
	return nil
}

func options(message *waE2E.Message) []string {
	var names []string
	for _, option := range poll(message).GetOptions() {
		names = append(names, option.GetOptionName())
	}
	return names
}

var answers = []string{"unknown", "going", "not-going", "maybe"}

// Everything that is printed of a message.
func (d *driver) told(ctx context.Context, event *events.Message) fields {
	out := fields{}
	d.shown(ctx, event, event.Message, out)
	if event.IsViewOnce || event.IsViewOnceV2 || event.IsViewOnceV2Extension {
		out["view_once"] = true
	}
	if parent := event.Message.GetMessageContextInfo().GetMessageAssociation().GetParentMessageKey(); parent != nil {
		out["album"] = parent.GetID()
	}
	inner := content(event.Message)
	if inner == nil {
		return out
	}
	if it, ok := inner.Interface().(interface{ GetContextInfo() *waE2E.ContextInfo }); ok {
		around := it.GetContextInfo()
		set(out, "quoted", around.GetStanzaID())
		set(out, "forwarded", around.GetForwardingScore())
		set(out, "expires", around.GetExpiration())
		set(out, "everyone", around.GetNonJIDMentions() > 0)
		if len(around.GetMentionedJID()) > 0 {
			out["mentions"] = around.GetMentionedJID()
		}
	}
	if edited := event.Message.GetProtocolMessage().GetEditedMessage(); edited != nil && content(edited) != nil {
		inner = content(edited)
		if it, ok := inner.Interface().(interface{ GetMimetype() string }); ok {
			out["mime"] = it.GetMimetype()
		}
	}
	if it, ok := inner.Interface().(whatsmeow.DownloadableMessage); ok && it.GetDirectPath() != "" {
		bytes, err := d.client.Download(ctx, it)
		if err != nil {
			out["why"] = err.Error()
		} else {
			sum := sha256.Sum256(bytes)
			out["sha256"], out["length"] = hex.EncodeToString(sum[:]), len(bytes)
		}
	}
	return out
}

func set[T comparable](out fields, key string, value T) {
	var zero T
	if value != zero {
		out[key] = value
	}
}

func (d *driver) shown(ctx context.Context, event *events.Message, message *waE2E.Message, out fields) {
	kind := func(kind string, more fields) {
		out["kind"] = kind
		for key, value := range more {
			out[key] = value
		}
	}
	file := func(name string, it interface{ GetMimetype() string }, more fields) {
		kind(name, more)
		out["mime"] = it.GetMimetype()
		if it, ok := it.(interface{ GetCaption() string }); ok {
			set(out, "text", it.GetCaption())
		}
		if it, ok := it.(interface{ GetSeconds() uint32 }); ok {
			set(out, "seconds", it.GetSeconds())
		}
		if it, ok := it.(interface{ GetViewOnce() bool }); ok {
			set(out, "view_once", it.GetViewOnce())
		}
	}
	switch {
	case message.Conversation != nil:
		kind("text", fields{"text": message.GetConversation()})
	case message.ExtendedTextMessage != nil:
		it := message.ExtendedTextMessage
		kind("text", fields{
			"text": it.GetText(), "link": it.GetMatchedText(), "title": it.GetTitle(), "description": it.GetDescription(),
			"background": it.GetBackgroundArgb(), "font": int32(it.GetFont()),
		})
	case message.ImageMessage != nil:
		file("image", message.ImageMessage, nil)
	case message.VideoMessage != nil:
		name := "video"
		if message.VideoMessage.GetGifPlayback() {
			name = "gif"
		}
		file(name, message.VideoMessage, nil)
	case message.PtvMessage != nil:
		file("round-video", message.PtvMessage, nil)
	case message.AudioMessage != nil && message.AudioMessage.GetPTT():
		file("voice-note", message.AudioMessage, fields{"waveform": hex.EncodeToString(message.AudioMessage.GetWaveform())})
	case message.AudioMessage != nil:
		file("audio", message.AudioMessage, nil)
	case message.DocumentMessage != nil:
		file("document", message.DocumentMessage, fields{"file_name": message.DocumentMessage.GetFileName()})
	case message.StickerMessage != nil:
		file("sticker", message.StickerMessage, nil)
	case message.StickerPackMessage != nil:
		it := message.StickerPackMessage
		kind("sticker-pack", fields{"name": it.GetName(), "code": it.GetStickerPackID(), "text": it.GetCaption()})
	case message.AlbumMessage != nil:
		it := message.AlbumMessage
		kind("album", fields{"images": it.GetExpectedImageCount(), "videos": it.GetExpectedVideoCount()})
	case message.ContactMessage != nil:
		kind("contact", fields{"cards": []card{cardOf(message.ContactMessage)}})
	case message.ContactsArrayMessage != nil:
		var cards []card
		for _, one := range message.ContactsArrayMessage.GetContacts() {
			cards = append(cards, cardOf(one))
		}
		kind("contacts", fields{"cards": cards})
	case message.LocationMessage != nil:
		it := message.LocationMessage
		kind("location", fields{
			"latitude": it.GetDegreesLatitude(), "longitude": it.GetDegreesLongitude(), "name": it.GetName(),
			"address": it.GetAddress(),
		})
	case message.LiveLocationMessage != nil:
		it := message.LiveLocationMessage
		kind("live-location", fields{
			"latitude": it.GetDegreesLatitude(), "longitude": it.GetDegreesLongitude(), "text": it.GetCaption(),
			"accuracy": it.GetAccuracyInMeters(), "sequence": it.GetSequenceNumber(),
		})
	case message.ReactionMessage != nil:
		it := message.ReactionMessage
		kind("reaction", fields{"text": it.GetText(), "target": it.GetKey().GetID()})
	case message.EncReactionMessage != nil:
		it, err := d.client.DecryptReaction(ctx, event)
		kind("sealed-reaction", fields{
			"text": it.GetText(), "target": message.EncReactionMessage.GetTargetMessageKey().GetID(), "why": errorText(err),
		})
	case message.EncCommentMessage != nil:
		it, err := d.client.DecryptComment(ctx, event)
		kind("comment", fields{
			"text": textOf(it), "target": message.EncCommentMessage.GetTargetMessageKey().GetID(), "why": errorText(err),
		})
	case poll(message) != nil:
		it := poll(message)
		kind("poll", fields{
			"question": it.GetName(), "options": options(message), "choices": it.GetSelectableOptionsCount(),
			"quiz": it.GetCorrectAnswer().GetOptionName(),
		})
	case message.PollUpdateMessage != nil:
		id := message.PollUpdateMessage.GetPollCreationMessageKey().GetID()
		vote, err := d.client.DecryptPollVote(ctx, event)
		chosen := []string{}
		for _, option := range options(d.known[id].message) {
			sum := sha256.Sum256([]byte(option))
			if slices.ContainsFunc(vote.GetSelectedOptions(), func(hash []byte) bool { return string(hash) == string(sum[:]) }) {
				chosen = append(chosen, option)
			}
		}
		kind("vote", fields{"target": id, "chosen": chosen, "why": errorText(err)})
	case message.EventMessage != nil:
		it := message.EventMessage
		kind("event", fields{
			"name": it.GetName(), "text": it.GetDescription(), "starts_at": it.GetStartTime(), "place": it.GetLocation().GetName(),
		})
	case message.EncEventResponseMessage != nil:
		it := message.EncEventResponseMessage
		var response waE2E.EventResponseMessage
		bytes, err := d.client.DangerousInternals().DecryptMsgSecret(
			ctx, event, whatsmeow.EncSecretEventResponse, it, it.GetEventCreationMessageKey())
		if err == nil {
			err = proto.Unmarshal(bytes, &response)
		}
		kind("event-response", fields{
			"target": it.GetEventCreationMessageKey().GetID(), "answer": answers[response.GetResponse()], "why": errorText(err),
		})
	case message.PinInChatMessage != nil:
		it := message.PinInChatMessage
		name := "pin"
		if it.GetType() != waE2E.PinInChatMessage_PIN_FOR_ALL {
			name = "unpin"
		}
		seconds := message.GetMessageContextInfo().GetMessageAddOnDurationInSecs()
		kind(name, fields{"target": it.GetKey().GetID(), "seconds": seconds})
	case message.KeepInChatMessage != nil:
		it := message.KeepInChatMessage
		name := "keep"
		if it.GetKeepType() != waE2E.KeepType_KEEP_FOR_ALL {
			name = "unkeep"
		}
		kind(name, fields{"target": it.GetKey().GetID()})
	case message.GroupInviteMessage != nil:
		it := message.GroupInviteMessage
		kind("group-invite", fields{
			"group": it.GetGroupJID(), "code": it.GetInviteCode(), "name": it.GetGroupName(), "text": it.GetCaption(),
			"expires_at": it.GetInviteExpiration(),
		})
	case message.ButtonsMessage != nil:
		var buttons []button
		for _, one := range message.ButtonsMessage.GetButtons() {
			buttons = append(buttons, button{ID: one.GetButtonID(), Text: one.GetButtonText().GetDisplayText()})
		}
		kind("buttons", fields{"text": message.ButtonsMessage.GetContentText(), "buttons": buttons})
	case message.ListMessage != nil:
		it := message.ListMessage
		var buttons []button
		for _, section := range it.GetSections() {
			for _, row := range section.GetRows() {
				buttons = append(buttons, button{ID: row.GetRowID(), Text: row.GetTitle()})
			}
		}
		kind("list", fields{"text": it.GetDescription(), "button": it.GetButtonText(), "buttons": buttons})
	case message.ButtonsResponseMessage != nil:
		it := message.ButtonsResponseMessage
		kind("button-reply", fields{"choice": it.GetSelectedButtonID(), "text": it.GetSelectedDisplayText()})
	case message.ListResponseMessage != nil:
		it := message.ListResponseMessage
		kind("list-reply", fields{"choice": it.GetSingleSelectReply().GetSelectedRowID(), "text": it.GetTitle()})
	case message.TemplateButtonReplyMessage != nil:
		it := message.TemplateButtonReplyMessage
		kind("template-reply", fields{
			"choice": it.GetSelectedID(), "text": it.GetSelectedDisplayText(), "index": it.GetSelectedIndex(),
		})
	case message.InteractiveResponseMessage != nil:
		it := message.InteractiveResponseMessage
		kind("flow-reply", fields{
			"text": it.GetBody().GetText(), "choice": it.GetNativeFlowResponseMessage().GetName(),
			"params": it.GetNativeFlowResponseMessage().GetParamsJSON(),
		})
	case message.RequestPhoneNumberMessage != nil:
		kind("phone-number-request", nil)
	case message.ProtocolMessage != nil:
		it := message.ProtocolMessage
		switch it.GetType() {
		case waE2E.ProtocolMessage_REVOKE:
			kind("revoke", fields{"target": it.GetKey().GetID()})
		case waE2E.ProtocolMessage_MESSAGE_EDIT:
			kind("edit", fields{"target": it.GetKey().GetID(), "text": textOf(it.GetEditedMessage())})
		case waE2E.ProtocolMessage_EPHEMERAL_SETTING:
			kind("disappearing", fields{"seconds": it.GetEphemeralExpiration()})
		case waE2E.ProtocolMessage_LIMIT_SHARING:
			kind("limit-sharing", fields{"on": it.GetLimitSharing().GetSharingLimited()})
		case waE2E.ProtocolMessage_SHARE_PHONE_NUMBER:
			kind("phone-number", nil)
		default:
			kind("protocol", nil)
		}
	default:
		kind("other", nil)
	}
}

func textOf(message *waE2E.Message) string {
	if message.GetImageMessage() != nil {
		return message.GetImageMessage().GetCaption()
	}
	if message.GetExtendedTextMessage() != nil {
		return message.GetExtendedTextMessage().GetText()
	}
	return message.GetConversation()
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// The message to send; `to` is its chat.
func (d *driver) composed(ctx context.Context, to types.JID, kind string, it *said) (*waE2E.Message, error) {
	message, err := d.bare(ctx, to, kind, it)
	if err != nil {
		return nil, err
	}
	around := &waE2E.ContextInfo{MentionedJID: it.Mentions}
	if it.Quote != "" {
		quoted, found := d.known[it.Quote]
		if !found {
			return nil, fmt.Errorf("no message %s is known", it.Quote)
		}
		around.StanzaID, around.QuotedMessage = &it.Quote, quoted.message
		around.Participant = proto.String(quoted.info.Sender.ToNonAD().String())
	}
	if it.Expires != 0 {
		around.Expiration = &it.Expires
	}
	if it.Everyone {
		around.NonJIDMentions = proto.Uint32(1)
	}
	if kind == "forward" {
		around.IsForwarded, around.ForwardingScore = proto.Bool(true), proto.Uint32(1)
	}
	if proto.Size(around) > 0 {
		if message.Conversation != nil {
			message.ExtendedTextMessage = &waE2E.ExtendedTextMessage{Text: message.Conversation}
			message.Conversation = nil
		}
		inner := content(message)
		field := inner.Descriptor().Fields().ByName("contextInfo")
		inner.Set(field, protoreflect.ValueOfMessage(around.ProtoReflect()))
	}
	if it.Album != "" {
		message.MessageContextInfo = &waE2E.MessageContextInfo{MessageAssociation: &waE2E.MessageAssociation{
			AssociationType:  waE2E.MessageAssociation_MEDIA_ALBUM.Enum(),
			ParentMessageKey: d.key(it.Album),
		}}
	}
	return message, nil
}

// The key of a known message, as whatsmeow builds it.
func (d *driver) key(id string) *waCommon.MessageKey {
	info := d.known[id].info
	return d.client.BuildMessageKey(info.Chat, info.Sender, info.ID)
}

func (d *driver) bare(ctx context.Context, to types.JID, kind string, it *said) (*waE2E.Message, error) {
	target := d.known[it.Target]
	now := proto.Int64(time.Now().UnixMilli())
	message := &waE2E.Message{}
	switch kind {
	case "text":
		if it.Link == "" && it.Background == 0 {
			message.Conversation = &it.Text
			break
		}
		text := &waE2E.ExtendedTextMessage{Text: &it.Text}
		if it.Link != "" {
			text.MatchedText, text.Title, text.Description = &it.Link, &it.Title, &it.Description
		}
		if it.Background != 0 {
			text.BackgroundArgb, text.Font = &it.Background, waE2E.ExtendedTextMessage_FontType(it.Font).Enum()
		}
		message.ExtendedTextMessage = text
	case "forward":
		message = proto.Clone(target.message).(*waE2E.Message)
		message.MessageContextInfo = nil
	case "image", "video", "gif", "round-video", "audio", "voice-note", "document", "sticker", "sticker-pack":
		return d.file(ctx, kind, it)
	case "album":
		message.AlbumMessage = &waE2E.AlbumMessage{ExpectedImageCount: &it.Images, ExpectedVideoCount: &it.Videos}
	case "contact":
		message.ContactMessage = it.Cards[0].message()
	case "contacts":
		array := &waE2E.ContactsArrayMessage{DisplayName: proto.String(fmt.Sprintf("%d contacts", len(it.Cards)))}
		for _, one := range it.Cards {
			array.Contacts = append(array.Contacts, one.message())
		}
		message.ContactsArrayMessage = array
	case "location":
		message.LocationMessage = &waE2E.LocationMessage{
			DegreesLatitude: &it.Latitude, DegreesLongitude: &it.Longitude, Name: &it.Name, Address: &it.Address,
		}
	case "live-location":
		message.LiveLocationMessage = &waE2E.LiveLocationMessage{
			DegreesLatitude: &it.Latitude, DegreesLongitude: &it.Longitude, Caption: &it.Text,
			AccuracyInMeters: &it.Accuracy, SequenceNumber: &it.Sequence,
		}
	case "reaction":
		return d.client.BuildReaction(to, target.info.Sender, it.Target, it.Text), nil
	case "sealed-reaction":
		plain := d.client.BuildReaction(to, target.info.Sender, it.Target, it.Text)
		sealed, err := d.client.EncryptReaction(ctx, &target.info, plain.ReactionMessage)
		message.EncReactionMessage = sealed
		return message, err
	case "comment":
		return d.client.EncryptComment(ctx, &target.info, &waE2E.Message{Conversation: &it.Text})
	case "edit":
		if it.Path != "" {
			edited, err := d.file(ctx, "image", it)
			return d.client.BuildEdit(to, it.Target, edited), err
		}
		return d.client.BuildEdit(to, it.Target, &waE2E.Message{Conversation: &it.Text}), nil
	case "revoke":
		return d.client.BuildRevoke(to, types.EmptyJID, it.Target), nil
	case "poll":
		message = d.client.BuildPollCreation(it.Question, it.Options, it.Choices)
		if it.Quiz != "" {
			quiz := message.PollCreationMessage
			quiz.PollType, quiz.PollContentType = waE2E.PollType_QUIZ.Enum(), waE2E.PollContentType_TEXT.Enum()
			quiz.CorrectAnswer = &waE2E.PollCreationMessage_Option{OptionName: &it.Quiz}
			message.PollCreationMessage, message.PollCreationMessageV5 = nil, quiz
		}
	case "vote":
		return d.client.BuildPollVote(ctx, &target.info, it.Chosen)
	case "event":
		message.EventMessage = &waE2E.EventMessage{
			Name: &it.Name, Description: &it.Text, StartTime: &it.StartsAt, Location: &waE2E.LocationMessage{Name: &it.Place},
		}
	case "event-response":
		answer := waE2E.EventResponseMessage_EventResponseType(slices.Index(answers, it.Answer))
		bytes, err := proto.Marshal(&waE2E.EventResponseMessage{Response: &answer, TimestampMS: now})
		if err != nil {
			return nil, err
		}
		inside := d.client.DangerousInternals()
		payload, iv, err := inside.EncryptMsgSecret(ctx, inside.GetOwnID(), target.info.Chat, target.info.Sender, it.Target,
			whatsmeow.EncSecretEventResponse, bytes)
		message.EncEventResponseMessage = &waE2E.EncEventResponseMessage{
			EventCreationMessageKey: d.key(it.Target), EncPayload: payload, EncIV: iv,
		}
		return message, err
	case "pin", "unpin":
		pin := waE2E.PinInChatMessage_PIN_FOR_ALL
		if kind == "unpin" {
			pin = waE2E.PinInChatMessage_UNPIN_FOR_ALL
		}
		message.PinInChatMessage = &waE2E.PinInChatMessage{Key: d.key(it.Target), Type: &pin, SenderTimestampMS: now}
		message.MessageContextInfo = &waE2E.MessageContextInfo{MessageAddOnDurationInSecs: &it.Seconds}
	case "keep", "unkeep":
		keep := waE2E.KeepType_KEEP_FOR_ALL
		if kind == "unkeep" {
			keep = waE2E.KeepType_UNDO_KEEP_FOR_ALL
		}
		message.KeepInChatMessage = &waE2E.KeepInChatMessage{Key: d.key(it.Target), KeepType: &keep, TimestampMS: now}
	case "group-invite":
		message.GroupInviteMessage = &waE2E.GroupInviteMessage{
			GroupJID: &it.Group, InviteCode: &it.Code, GroupName: &it.Name, Caption: &it.Text, InviteExpiration: &it.ExpiresAt,
		}
	case "buttons":
		buttons := &waE2E.ButtonsMessage{ContentText: &it.Text, HeaderType: waE2E.ButtonsMessage_EMPTY.Enum()}
		for _, one := range it.Buttons {
			buttons.Buttons = append(buttons.Buttons, &waE2E.ButtonsMessage_Button{
				ButtonID: &one.ID, ButtonText: &waE2E.ButtonsMessage_Button_ButtonText{DisplayText: &one.Text},
				Type: waE2E.ButtonsMessage_Button_RESPONSE.Enum(),
			})
		}
		message.ButtonsMessage = buttons
	case "list":
		section := &waE2E.ListMessage_Section{}
		for _, one := range it.Buttons {
			section.Rows = append(section.Rows, &waE2E.ListMessage_Row{RowID: &one.ID, Title: &one.Text})
		}
		message.ListMessage = &waE2E.ListMessage{
			Description: &it.Text, ButtonText: &it.Button, ListType: waE2E.ListMessage_SINGLE_SELECT.Enum(),
			Sections: []*waE2E.ListMessage_Section{section},
		}
	case "button-reply":
		message.ButtonsResponseMessage = &waE2E.ButtonsResponseMessage{
			SelectedButtonID: &it.Choice, Type: waE2E.ButtonsResponseMessage_DISPLAY_TEXT.Enum(),
			Response: &waE2E.ButtonsResponseMessage_SelectedDisplayText{SelectedDisplayText: it.Text},
		}
	case "list-reply":
		message.ListResponseMessage = &waE2E.ListResponseMessage{
			Title: &it.Text, ListType: waE2E.ListResponseMessage_SINGLE_SELECT.Enum(),
			SingleSelectReply: &waE2E.ListResponseMessage_SingleSelectReply{SelectedRowID: &it.Choice},
		}
	case "template-reply":
		message.TemplateButtonReplyMessage = &waE2E.TemplateButtonReplyMessage{
			SelectedID: &it.Choice, SelectedDisplayText: &it.Text, SelectedIndex: &it.Index,
		}
	case "flow-reply":
		message.InteractiveResponseMessage = &waE2E.InteractiveResponseMessage{
			Body: &waE2E.InteractiveResponseMessage_Body{Text: &it.Text},
			InteractiveResponseMessage: &waE2E.InteractiveResponseMessage_NativeFlowResponseMessage_{
				NativeFlowResponseMessage: &waE2E.InteractiveResponseMessage_NativeFlowResponseMessage{
					Name: &it.Choice, ParamsJSON: &it.Params,
				},
			},
		}
	case "raw":
		return raw(it.Message)
	case "phone-number-request":
		message.RequestPhoneNumberMessage = &waE2E.RequestPhoneNumberMessage{}
	case "phone-number":
		message.ProtocolMessage = &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_SHARE_PHONE_NUMBER.Enum()}
	case "limit-sharing":
		message.ProtocolMessage = &waE2E.ProtocolMessage{
			Type:         waE2E.ProtocolMessage_LIMIT_SHARING.Enum(),
			LimitSharing: &waCommon.LimitSharing{SharingLimited: &it.On, LimitSharingSettingTimestamp: now},
		}
	case "disappearing":
		message.ProtocolMessage = &waE2E.ProtocolMessage{
			Type: waE2E.ProtocolMessage_EPHEMERAL_SETTING.Enum(), EphemeralExpiration: &it.Seconds,
			EphemeralSettingTimestamp: proto.Int64(time.Now().Unix()),
		}
	default:
		return nil, fmt.Errorf("unknown kind %q", kind)
	}
	return message, nil
}

// A file, uploaded by whatsmeow.
func (d *driver) file(ctx context.Context, kind string, it *said) (*waE2E.Message, error) {
	bytes, err := os.ReadFile(it.Path)
	if err != nil {
		return nil, err
	}
	class := map[string]whatsmeow.MediaType{
		"image": whatsmeow.MediaImage, "sticker": whatsmeow.MediaImage, "audio": whatsmeow.MediaAudio,
		"voice-note": whatsmeow.MediaAudio, "document": whatsmeow.MediaDocument, "sticker-pack": whatsmeow.MediaStickerPack,
	}[kind]
	if class == "" {
		class = whatsmeow.MediaVideo
	}
	up, err := d.client.Upload(ctx, bytes, class)
	if err != nil {
		return nil, err
	}
	waveform, err := hex.DecodeString(it.Waveform)
	if err != nil {
		return nil, err
	}
	caption, once := optional(it.Text), optional(it.ViewOnce)
	message := &waE2E.Message{}
	switch kind {
	case "image":
		message.ImageMessage = &waE2E.ImageMessage{Caption: caption, ViewOnce: once}
	case "video", "gif", "round-video":
		video := &waE2E.VideoMessage{
			Caption: caption, ViewOnce: once, Seconds: optional(it.Seconds), GifPlayback: optional(kind == "gif"),
		}
		if kind == "round-video" {
			message.PtvMessage = video
		} else {
			message.VideoMessage = video
		}
	case "audio", "voice-note":
		message.AudioMessage = &waE2E.AudioMessage{
			ViewOnce: once, Seconds: optional(it.Seconds), PTT: optional(kind == "voice-note"), Waveform: waveform,
		}
	case "document":
		message.DocumentMessage = &waE2E.DocumentMessage{Caption: caption, FileName: &it.FileName}
	case "sticker":
		message.StickerMessage = &waE2E.StickerMessage{}
	case "sticker-pack":
		message.StickerPackMessage = &waE2E.StickerPackMessage{Name: &it.Name, StickerPackID: &it.Code, Caption: caption}
	}
	inner := content(message)
	put := func(name protoreflect.Name, value protoreflect.Value) {
		// A pack has neither address nor type.
		if field := inner.Descriptor().Fields().ByName(name); field != nil {
			inner.Set(field, value)
		}
	}
	put("URL", protoreflect.ValueOfString(up.URL))
	put("directPath", protoreflect.ValueOfString(up.DirectPath))
	put("mediaKey", protoreflect.ValueOfBytes(up.MediaKey))
	put("fileEncSHA256", protoreflect.ValueOfBytes(up.FileEncSHA256))
	put("fileSHA256", protoreflect.ValueOfBytes(up.FileSHA256))
	put("fileLength", protoreflect.ValueOfUint64(up.FileLength))
	put("mimetype", protoreflect.ValueOfString(it.Mime))
	return message, nil
}

func optional[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}
