//! The text of the `.proto` files: one file and one package (`wa.<area>`) per area of the table, nesting as the
//! table's dotted names say. `required` becomes `optional`: a reader must never fail for want of a field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::notes;
use crate::schema::{Body, Field, Label, Schema};

/// The text of every file, by area.
pub(super) fn proto_files(schema: &Schema) -> Result<BTreeMap<String, String>> {
    schema.included_areas().into_iter().map(|area| Ok((area.clone(), file(schema, &area)?))).collect()
}

fn file(schema: &Schema, area: &str) -> Result<String> {
    let mut imports = BTreeSet::new();
    let mut bodies = String::new();
    for (name, declaration) in &schema.declarations {
        if declaration.area == area && !name.contains('.') {
            bodies.push('\n');
            declare(schema, area, name, 0, &mut bodies, &mut imports)
                .with_context(|| format!("{area}: {name}"))?;
        }
    }
    let mut text = String::from("// Written by `cargo xtask proto` from docs/data/schema.tsv.\n");
    let about = notes::area(area).with_context(|| format!("no note for area {area}"))?;
    for line in about.lines() {
        let _ = writeln!(text, "// {line}");
    }
    let _ = write!(text, "\nsyntax = \"proto2\";\n\npackage wa.{area};\n");
    if !imports.is_empty() {
        text.push('\n');
    }
    for import in imports {
        let _ = writeln!(text, "import \"{import}.proto\";");
    }
    text.push_str(&bodies);
    Ok(text)
}

fn declare(
    schema: &Schema,
    area: &str,
    full_name: &str,
    depth: usize,
    text: &mut String,
    imports: &mut BTreeSet<String>,
) -> Result<()> {
    let pad = "  ".repeat(depth);
    let short = full_name.rsplit('.').next().unwrap_or(full_name);
    comment(full_name, &pad, text);
    match &schema.declarations[full_name].body {
        Body::Enum { values } => {
            let _ = writeln!(text, "{pad}enum {short} {{");
            for (name, number) in values {
                comment(&format!("{full_name}.{name}"), &format!("{pad}  "), text);
                let _ = writeln!(text, "{pad}  {name} = {number};");
            }
        }
        Body::Message { fields, oneofs } => {
            let _ = writeln!(text, "{pad}message {short} {{");
            for field in fields.iter().filter(|field| field.oneof.is_none()) {
                write_field(schema, area, full_name, field, &format!("{pad}  "), text, imports)?;
            }
            for (oneof, members) in oneofs {
                let _ = writeln!(text, "{pad}  oneof {oneof} {{");
                for member in members {
                    let field = fields
                        .iter()
                        .find(|field| field.name == *member && field.oneof.as_ref() == Some(oneof))
                        .with_context(|| format!("{full_name}.{oneof}: no field {member}"))?;
                    write_field(schema, area, full_name, field, &format!("{pad}    "), text, imports)?;
                }
                let _ = writeln!(text, "{pad}  }}");
            }
            for nested in schema.declarations.keys() {
                if nested.rsplit_once('.').is_some_and(|(outer, _)| outer == full_name) {
                    text.push('\n');
                    declare(schema, area, nested, depth + 1, text, imports)?;
                }
            }
        }
    }
    let _ = writeln!(text, "{pad}}}");
    Ok(())
}

fn write_field(
    schema: &Schema,
    area: &str,
    message: &str,
    field: &Field,
    pad: &str,
    text: &mut String,
    imports: &mut BTreeSet<String>,
) -> Result<()> {
    comment(&format!("{message}.{}", field.name), pad, text);
    if field.absent_from_newest {
        let _ = writeln!(text, "{pad}// Not in the newest schema: read it, do not write it.");
    }
    let label = match (field.label, &field.oneof) {
        (_, Some(_)) | (Label::Map, None) => "",
        (Label::Repeated, None) => "repeated ",
        (Label::Optional | Label::Required, None) => "optional ",
    };
    let kind = match field.kind.strip_prefix("map<").and_then(|rest| rest.strip_suffix('>')) {
        Some(pair) => {
            let (key, value) = pair.split_once(',').context("map without a value type")?;
            format!("map<{key}, {}>", type_name(schema, area, message, value, imports)?)
        }
        None => type_name(schema, area, message, &field.kind, imports)?,
    };
    let mut options = Vec::new();
    if field.packed {
        options.push("packed = true".to_owned());
    }
    if let Some(default) = &field.default {
        options.push(format!("default = {default}"));
    }
    let options = if options.is_empty() { String::new() } else { format!(" [{}]", options.join(", ")) };
    let _ = writeln!(text, "{pad}{label}{kind} {} = {}{options};", field.name, field.number);
    Ok(())
}

/// How a type is named inside `message`: scalars as they are, types of the same area by the shortest name that
/// protobuf's scoping resolves to them, others with their package.
fn type_name(
    schema: &Schema,
    area: &str,
    message: &str,
    name: &str,
    imports: &mut BTreeSet<String>,
) -> Result<String> {
    const SCALARS: [&str; 15] = [
        "double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64",
        "sfixed32", "sfixed64", "bool", "string", "bytes",
    ];
    if SCALARS.contains(&name) {
        return Ok(name.to_owned());
    }
    let target = schema.declarations.get(name).with_context(|| format!("unknown type {name}"))?;
    if target.area != area {
        imports.insert(target.area.clone());
        return Ok(format!("wa.{}.{name}", target.area));
    }
    let mut start = name.len();
    while let Some(at) = name[..start].rfind('.') {
        let short = &name[at + 1..];
        if resolve(schema, area, message, short).as_deref() == Some(name) {
            return Ok(short.to_owned());
        }
        start = at;
    }
    if resolve(schema, area, message, name).as_deref() == Some(name) {
        return Ok(name.to_owned());
    }
    Ok(format!(".wa.{area}.{name}"))
}

/// Protobuf's rule: the innermost scope that knows the first part of the name decides.
fn resolve(schema: &Schema, area: &str, message: &str, name: &str) -> Option<String> {
    let first = name.split('.').next().unwrap_or(name);
    let known = |full: &str| schema.declarations.get(full).is_some_and(|found| found.area == area);
    let mut scope = Some(message);
    while let Some(outer) = scope {
        if known(&format!("{outer}.{first}")) {
            let full = format!("{outer}.{name}");
            return known(&full).then_some(full);
        }
        scope = outer.rsplit_once('.').map(|(rest, _)| rest);
    }
    known(name).then(|| name.to_owned())
}

fn comment(name: &str, pad: &str, text: &mut String) {
    for line in notes::of(name).into_iter().flat_map(str::lines) {
        let _ = writeln!(text, "{pad}// {line}");
    }
}
