//! Holds every message, field, number, type, label, default and enum value of the compiled `.proto` files against the
//! table, and the table against them. Written apart from the writer, so that a slip there is seen here.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

use crate::schema::{self, Body, Schema};

/// Fails with the first facts that only one side has.
pub(super) fn table_and_descriptors(schema: &Schema, set: &FileDescriptorSet) -> Result<()> {
    let (table, compiled) = (table_facts(schema), descriptor_facts(set));
    let only_table: Vec<&String> = table.difference(&compiled).take(8).collect();
    let only_compiled: Vec<&String> = compiled.difference(&table).take(8).collect();
    ensure!(
        only_table.is_empty() && only_compiled.is_empty(),
        "only in the table: {only_table:#?}\nonly in the .proto files: {only_compiled:#?}"
    );
    Ok(())
}

/// One line for each fact of the included areas. `required` counts as `optional` by decision.
fn table_facts(schema: &Schema) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for (name, declaration) in &schema.declarations {
        let area = &declaration.area;
        if schema::is_excluded(area) {
            continue;
        }
        match &declaration.body {
            Body::Enum { values } => {
                facts.insert(format!("enum {area} {name}"));
                for (value, number) in values {
                    facts.insert(format!("value {area} {name} {value} = {number}"));
                }
            }
            Body::Message { fields, .. } => {
                facts.insert(format!("message {area} {name}"));
                for field in fields {
                    let label = match field.label {
                        schema::Label::Optional | schema::Label::Required => "optional",
                        schema::Label::Repeated => "repeated",
                        schema::Label::Map => "map",
                    };
                    facts.insert(format!(
                        "field {area} {name} {} = {}: {label} {} packed={} oneof={} default={}",
                        field.name,
                        field.number,
                        field.kind,
                        field.packed,
                        field.oneof.as_deref().unwrap_or("-"),
                        field.default.as_deref().unwrap_or("-"),
                    ));
                }
            }
        }
    }
    facts
}

fn descriptor_facts(set: &FileDescriptorSet) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for file in &set.file {
        let area = file.package().trim_start_matches("wa.");
        for one in &file.enum_type {
            enum_facts(area, "", one, &mut facts);
        }
        for one in &file.message_type {
            message_facts(area, "", one, &mut facts);
        }
    }
    facts
}

fn enum_facts(area: &str, outer: &str, one: &EnumDescriptorProto, facts: &mut BTreeSet<String>) {
    let name = format!("{outer}{}", one.name());
    facts.insert(format!("enum {area} {name}"));
    for value in &one.value {
        facts.insert(format!("value {area} {name} {} = {}", value.name(), value.number()));
    }
}

fn message_facts(area: &str, outer: &str, one: &DescriptorProto, facts: &mut BTreeSet<String>) {
    let name = format!("{outer}{}", one.name());
    facts.insert(format!("message {area} {name}"));
    for nested in &one.enum_type {
        enum_facts(area, &format!("{name}."), nested, facts);
    }
    let is_map =
        |entry: &DescriptorProto| entry.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry);
    for nested in one.nested_type.iter().filter(|nested| !is_map(nested)) {
        message_facts(area, &format!("{name}."), nested, facts);
    }
    for field in &one.field {
        let entry = one.nested_type.iter().find(|nested| {
            is_map(nested) && field.type_name() == format!(".wa.{area}.{name}.{}", nested.name())
        });
        let (label, kind) = match entry {
            Some(entry) => ("map", format!("map<{},{}>", kind_of(&entry.field[0]), kind_of(&entry.field[1]))),
            None if field.label() == Label::Repeated => ("repeated", kind_of(field)),
            None if field.label() == Label::Required => ("required", kind_of(field)),
            None => ("optional", kind_of(field)),
        };
        let oneof = field.oneof_index.map_or("-", |index| one.oneof_decl[index as usize].name());
        let packed = field.options.as_ref().is_some_and(prost_types::FieldOptions::packed);
        facts.insert(format!(
            "field {area} {name} {} = {}: {label} {kind} packed={packed} oneof={oneof} default={}",
            field.name(),
            field.number(),
            field.default_value.as_deref().unwrap_or("-"),
        ));
    }
}

/// The table's spelling of a field's type.
fn kind_of(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum | Type::Group => {
            // `.wa.<area>.<name>`
            field.type_name().splitn(4, '.').nth(3).unwrap_or_default().to_owned()
        }
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    fn checked_in() -> (Schema, FileDescriptorSet) {
        let root = crate::workspace_root();
        let schema = Schema::read(&root.join("docs/data/schema.tsv")).unwrap();
        let bytes = std::fs::read(root.join("crates/wa-proto/src/generated/descriptors.binpb")).unwrap();
        (schema, FileDescriptorSet::decode(&bytes[..]).unwrap())
    }

    #[test]
    fn every_number_type_and_label_of_the_included_areas_is_the_tables() {
        let (schema, set) = checked_in();
        table_and_descriptors(&schema, &set).unwrap();
        let facts = table_facts(&schema);
        let fields = facts.iter().filter(|fact| fact.starts_with("field ")).count();
        let rows = schema.declarations.values().filter(|one| !schema::is_excluded(&one.area));
        let expected: usize = rows
            .map(|one| match &one.body {
                Body::Message { fields, .. } => fields.len(),
                Body::Enum { .. } => 0,
            })
            .sum();
        assert_eq!(fields, expected);
        for (area, why) in schema::EXCLUDED_AREAS {
            println!("left out: {area} ({why})");
            assert!(!set.file.iter().any(|file| file.package() == format!("wa.{area}")));
            assert!(schema.declarations.values().any(|one| one.area == area), "{area} is not in the table");
        }
    }

    type Slip = (&'static str, fn(&mut FieldDescriptorProto));

    #[test]
    fn a_wrong_number_type_label_or_default_is_seen() {
        let slips: [Slip; 4] = [
            ("number", |field| field.number = Some(field.number() + 1)),
            ("type", |field| field.r#type = Some(Type::Double as i32)),
            ("label", |field| field.label = Some(Label::Repeated as i32)),
            ("default", |field| field.default_value = Some("7".into())),
        ];
        for (what, slip) in slips {
            let (schema, mut set) = checked_in();
            slip(&mut set.file[0].message_type[0].field[0]);
            let error = table_and_descriptors(&schema, &set).expect_err(what).to_string();
            assert!(error.contains("only in the table"), "{what}: {error}");
        }
    }

    #[test]
    fn a_missing_enum_value_is_seen() {
        let (schema, mut set) = checked_in();
        let file = set.file.iter_mut().find(|file| !file.enum_type.is_empty()).unwrap();
        file.enum_type[0].value.pop();
        assert!(table_and_descriptors(&schema, &set).is_err());
    }
}
