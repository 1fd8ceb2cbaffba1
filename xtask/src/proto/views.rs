//! The views of `wa_proto::view` and the conversion that its tests hold them against: one line for each field of every
//! message that an end-to-end message can contain. What a line means is `view.rs` in that crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

/// The message that views begin with.
const ROOT: &str = ".wa.e2e_message.Message";

/// The generated files, by path below `crates/wa-proto`.
pub(super) fn files(set: &FileDescriptorSet) -> Result<BTreeMap<String, String>> {
    let messages = Messages::of(set);
    let reachable = messages.reachable()?;
    let mut files = BTreeMap::new();
    for file in &set.file {
        let area = file.package().trim_start_matches("wa.");
        let mut text = String::new();
        for message in &file.message_type {
            messages.views(&reachable, &format!(".{}", file.package()), message, 0, &mut text)?;
        }
        if !text.is_empty() {
            let head = "// Written by `cargo xtask proto` from docs/data/schema.tsv.\n";
            files.insert(format!("src/generated/view_{area}.rs"), format!("{head}{text}"));
        }
    }
    let mut own = String::from(
        "// Written by `cargo xtask proto` from docs/data/schema.tsv.\n\
         /// Makes the owned type through the accessors of its view.\n\
         pub(crate) trait Own<T> {\n    fn own(&self) -> T;\n}\n",
    );
    for name in &reachable {
        messages.own(name, &mut own)?;
    }
    files.insert("tests/generated/own.rs".to_owned(), own);
    Ok(files)
}

/// Every message of the schema by its full name, `.wa.<area>.<name>`.
struct Messages<'a>(BTreeMap<String, &'a DescriptorProto>);

impl<'a> Messages<'a> {
    fn of(set: &'a FileDescriptorSet) -> Self {
        fn walk<'a>(
            prefix: &str,
            messages: &'a [DescriptorProto],
            all: &mut BTreeMap<String, &'a DescriptorProto>,
        ) {
            for message in messages {
                let name = format!("{prefix}.{}", message.name());
                walk(&name, &message.nested_type, all);
                all.insert(name, message);
            }
        }
        let mut all = BTreeMap::new();
        for file in &set.file {
            walk(&format!(".{}", file.package()), &file.message_type, &mut all);
        }
        Self(all)
    }

    fn named(&self, name: &str) -> Result<&'a DescriptorProto> {
        self.0.get(name).copied().with_context(|| format!("no message {name}"))
    }

    fn reachable(&self) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        let mut open = vec![ROOT.to_owned()];
        while let Some(name) = open.pop() {
            let message = self.named(&name)?;
            let is_map = message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry);
            ensure!(!is_map, "{name}: an end-to-end message holds a map, of which there are no views");
            if found.insert(name) {
                let fields = message.field.iter().filter(|field| field.r#type() == Type::Message);
                open.extend(fields.map(|field| field.type_name().to_owned()));
            }
        }
        Ok(found)
    }

    /// The views of a message and those nested in it, as far as they are reachable.
    fn views(
        &self,
        reachable: &BTreeSet<String>,
        prefix: &str,
        message: &DescriptorProto,
        depth: usize,
        text: &mut String,
    ) -> Result<()> {
        let pad = "    ".repeat(depth);
        let name = format!("{prefix}.{}", message.name());
        if reachable.contains(&name) {
            let largest = message.field.iter().map(FieldDescriptorProto::number).max().unwrap_or(0);
            ensure!(message.field.len() < 255 && largest < 4096, "{name}: too large for the index of a view");
            let (view, owned) = (message.name().to_upper_camel_case(), rust_path("crate", &name, ""));
            let _ = writeln!(text, "{pad}view! {{");
            let _ = writeln!(text, "{pad}    {view}View of {owned}, {largest};");
            for field in &message.field {
                let kind = kind(message, field).with_context(|| name.clone())?;
                let _ = writeln!(text, "{pad}    {} = {}: ({kind});", snake(field.name()), field.number());
            }
            let _ = writeln!(text, "{pad}}}");
        }
        let mut nested = String::new();
        for inner in &message.nested_type {
            self.views(reachable, &name, inner, depth + 1, &mut nested)?;
        }
        if !nested.is_empty() {
            let _ = writeln!(text, "{pad}pub mod {} {{", snake(message.name()));
            let _ = writeln!(text, "{pad}    use super::{{Check, Parts, Repeated, Shape, View, read}};");
            let _ = writeln!(text, "{nested}{pad}}}");
        }
        Ok(())
    }

    /// The conversion of one message.
    fn own(&self, name: &str, text: &mut String) -> Result<()> {
        let message = self.named(name)?;
        let owned = rust_path("wa_proto", name, "");
        let view = rust_path("wa_proto::view", name, "View");
        let _ = writeln!(text, "\nimpl Own<{owned}> for {view}<'_> {{\n    fn own(&self) -> {owned} {{");
        let _ = writeln!(text, "        {owned} {{");
        for field in message.field.iter().filter(|field| field.oneof_index.is_none()) {
            let name = snake(field.name());
            let converted = match (field.label(), conversion(field)) {
                (Label::Repeated, "") => ".collect()".to_owned(),
                (Label::Repeated, how) => format!(".map(|it| {how}).collect()"),
                (_, "") => String::new(),
                (_, how) => format!(".map(|it| {how})"),
            };
            let _ = writeln!(text, "            {name}: self.{name}(){converted},");
        }
        for (index, oneof) in message.oneof_decl.iter().enumerate() {
            let group = format!("{}::{}", rust_module("wa_proto", name), oneof.name().to_upper_camel_case());
            let _ = writeln!(text, "            {}: None", snake(oneof.name()));
            for field in message.field.iter().filter(|field| field.oneof_index == Some(index as i32)) {
                let how = match conversion(field) {
                    "" => "it",
                    how => how,
                };
                let (name, variant) = (snake(field.name()), field.name().to_upper_camel_case());
                let _ = writeln!(
                    text,
                    "                .or_else(|| self.{name}().map(|it| {group}::{variant}({how})))"
                );
            }
            let _ = writeln!(text, "                ,");
        }
        let _ = writeln!(text, "        }}\n    }}\n}}");
        Ok(())
    }
}

/// How an accessor's value becomes the field of the owned type.
fn conversion(field: &FieldDescriptorProto) -> &'static str {
    match field.r#type() {
        Type::String => "it.to_owned()",
        Type::Bytes => "bytes::Bytes::copy_from_slice(it)",
        Type::Message => "it.own().into()",
        _ => "",
    }
}

/// The kind of a field as `view!` reads it.
fn kind(message: &DescriptorProto, field: &FieldDescriptorProto) -> Result<String> {
    let kind = match field.r#type() {
        Type::String => "text".to_owned(),
        Type::Enum => "int32".to_owned(),
        Type::Message => format!("message {}", rust_path("crate::view", field.type_name(), "View")),
        Type::Group | Type::Sint32 | Type::Sint64 | Type::Fixed64 | Type::Sfixed64 => {
            anyhow::bail!("{}: views know no {:?}", field.name(), field.r#type())
        }
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_ascii_lowercase(),
    };
    Ok(match (field.label(), field.oneof_index) {
        (Label::Repeated, _) => format!("repeated {kind}"),
        (_, Some(index)) => {
            let members = message.field.iter().filter(|other| other.oneof_index == Some(index));
            let numbers: Vec<String> = members.map(|other| other.number().to_string()).collect();
            format!("one of [{}] {kind}", numbers.join(", "))
        }
        _ => kind,
    })
}

/// `.wa.<area>.Outer.Inner` as `<root>::<area>::outer::Inner<suffix>`.
fn rust_path(root: &str, name: &str, suffix: &str) -> String {
    let (outer, last) = name.rsplit_once('.').unwrap_or_default();
    format!("{}::{}{suffix}", rust_module(root, outer), last.to_upper_camel_case())
}

/// The module that holds what is nested in a message or package.
fn rust_module(root: &str, name: &str) -> String {
    let parts = name.trim_start_matches(".wa.").split('.');
    parts.fold(root.to_owned(), |path, part| format!("{path}::{}", snake(part)))
}

/// A field or module, named as prost-build names it.
fn snake(name: &str) -> String {
    let name = name.to_snake_case();
    match name.as_str() {
        "type" | "final" | "override" | "ref" | "match" | "box" | "do" | "try" | "mod" => format!("r#{name}"),
        _ => name,
    }
}
