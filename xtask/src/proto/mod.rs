//! `cargo xtask proto`: writes `crates/wa-proto/proto/*.proto` from the schema table and the Rust types from those
//! files (protox parses, prost-build generates; no `protoc`). `--check` compares instead of writing. Chapter 03 §10.

mod compare;
mod notes;
mod views;
mod write;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use prost::Message as _;
use prost_types::{
    DescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

use crate::schema::Schema;

/// What the generator produces, by path below `crates/wa-proto`.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The folders below `crates/wa-proto` that hold nothing else.
const FOLDERS: [&str; 3] = ["proto", "src/generated", "tests/generated"];

/// Generates, then writes or compares.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [one] if one == "--check" => true,
        other => bail!("unknown arguments {other:?}; usage: cargo xtask proto [--check]"),
    };
    let files = generate(root)?;
    let home = root.join("crates/wa-proto");
    if check {
        let stale = stale(&home, &files)?;
        ensure!(stale.is_empty(), "not what the schema table gives (run `cargo xtask proto`): {stale:?}");
        println!("wa-proto: {} files are what the schema table gives", files.len());
        return Ok(());
    }
    for folder in FOLDERS {
        let folder = home.join(folder);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
    }
    for (path, bytes) in &files {
        fs::write(home.join(path), bytes).with_context(|| path.display().to_string())?;
    }
    println!("wa-proto: {} files written", files.len());
    Ok(())
}

/// Files that differ from `files`, are missing, or should not be there.
fn stale(home: &Path, files: &Files) -> Result<Vec<PathBuf>> {
    let mut stale: Vec<PathBuf> = files
        .iter()
        .filter(|(path, bytes)| fs::read(home.join(path)).ok().as_deref() != Some(bytes.as_slice()))
        .map(|(path, _)| path.clone())
        .collect();
    for folder in FOLDERS {
        for entry in fs::read_dir(home.join(folder))? {
            let path = Path::new(folder).join(entry?.file_name());
            if !files.contains_key(&path) {
                stale.push(path);
            }
        }
    }
    Ok(stale)
}

/// Everything that stands in [`FOLDERS`].
fn generate(root: &Path) -> Result<Files> {
    let schema = Schema::read(&root.join("docs/data/schema.tsv"))?;
    let mut files = Files::new();
    let folder = TemporaryFolder::new(root)?;
    for (area, text) in write::proto_files(&schema)? {
        fs::write(folder.0.join(format!("{area}.proto")), &text)?;
        files.insert(format!("proto/{area}.proto").into(), text.into_bytes());
    }
    let set = compile(&folder.0, &schema)?;
    compare::table_and_descriptors(&schema, &set)?;
    let mut config = prost_build::Config::new();
    config.bytes(["."]).out_dir(&folder.0);
    for path in boxed_fields(&set) {
        config.boxed(path);
    }
    for (path, text) in views::files(&set)? {
        files.insert(path.into(), text.into_bytes());
    }
    let mut plain = set.clone();
    for file in &mut plain.file {
        // Options of the file are not part of the reflection data; the comments are in the .proto files.
        file.source_code_info = None;
    }
    config.compile_fds(set)?;
    for area in schema.included_areas() {
        let name = format!("wa.{area}.rs");
        let code = fs::read(folder.0.join(&name)).with_context(|| name.clone())?;
        files.insert(format!("src/generated/{area}.rs").into(), code);
    }
    files.insert("src/generated/descriptors.binpb".into(), plain.encode_to_vec());
    Ok(files)
}

/// Compiles the `.proto` files of a folder, comments included.
fn compile(folder: &Path, schema: &Schema) -> Result<FileDescriptorSet> {
    let names: Vec<String> = schema.included_areas().iter().map(|area| format!("{area}.proto")).collect();
    let mut compiler = protox::Compiler::new([folder])?;
    compiler.include_source_info(true).include_imports(true).open_files(names)?;
    Ok(compiler.file_descriptor_set())
}

/// The path of every singular message field: inline, a hundred optional sub-messages would make one `Message`
/// several kilobytes large. Oneofs of [`INLINE`] messages stay as they are: prost-build derives `Copy` for them, which
/// does not go with a box.
fn boxed_fields(set: &FileDescriptorSet) -> Vec<String> {
    fn walk(prefix: &str, message: &DescriptorProto, paths: &mut Vec<String>) {
        let path = format!("{prefix}.{}", message.name());
        for field in &message.field {
            if field.r#type() != Type::Message || field.label() == Label::Repeated {
                continue;
            }
            match field.oneof_index {
                Some(_) if INLINE.iter().any(|name| field.type_name().ends_with(name)) => {}
                Some(index) => {
                    let oneof = message.oneof_decl[index as usize].name();
                    paths.push(format!("{path}.{oneof}.{}", field.name()));
                }
                None => paths.push(format!("{path}.{}", field.name())),
            }
        }
        for nested in &message.nested_type {
            walk(&path, nested, paths);
        }
    }
    let mut paths = Vec::new();
    for file in &set.file {
        for message in &file.message_type {
            walk(&format!(".{}", file.package()), message, &mut paths);
        }
    }
    paths
}

/// Messages of a few numbers that only stand in a oneof among their like.
const INLINE: [&str; 2] = [".HSMDateTimeComponent", ".HSMDateTimeUnixEpoch"];

/// A folder under `target/` that vanishes with the value.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new(root: &Path) -> Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        for number in 0.. {
            let folder = target.join(format!("proto-{}-{number}", std::process::id()));
            fs::create_dir_all(&target)?;
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Self(folder)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        bail!("no free folder name")
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // A leftover below target/ harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Body, Label::Repeated, is_excluded};

    #[test]
    fn the_checked_in_code_is_what_the_table_gives() {
        let root = crate::workspace_root();
        let files = generate(&root).unwrap();
        assert_eq!(stale(&root.join("crates/wa-proto"), &files).unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_changed_and_a_foreign_file_are_seen() {
        let root = crate::workspace_root();
        let mut files = generate(&root).unwrap();
        let foreign: PathBuf = "proto/adv.proto".into();
        files.remove(&foreign);
        let changed: PathBuf = "proto/cert.proto".into();
        files.get_mut(&changed).unwrap().push(b'\n');
        assert_eq!(stale(&root.join("crates/wa-proto"), &files).unwrap(), vec![changed, foreign]);
    }

    #[test]
    fn every_singular_message_field_is_boxed() {
        let root = crate::workspace_root();
        let files = generate(&root).unwrap();
        let mut fields = 0;
        for (path, code) in files.iter().filter(|(path, _)| path.extension().is_some_and(|it| it == "rs")) {
            let code = String::from_utf8(code.clone()).unwrap();
            let flat = code.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in flat.split("#[prost(").skip(1) {
                let (attribute, rest) = part.split_once(")]").unwrap();
                if attribute.starts_with("message") && !attribute.contains("repeated") {
                    fields += 1;
                    let declaration = rest.split([',', ';']).next().unwrap();
                    if declaration.contains("(HsmDateTime") {
                        continue;
                    }
                    assert!(declaration.contains("Box<"), "{}: {declaration}", path.display());
                }
            }
        }
        let schema = Schema::read(&root.join("docs/data/schema.tsv")).unwrap();
        let is_message = |name: &str| {
            schema.declarations.get(name).is_some_and(|one| matches!(one.body, Body::Message { .. }))
        };
        let mut expected = 0;
        for one in schema.declarations.values().filter(|one| !is_excluded(&one.area)) {
            if let Body::Message { fields, .. } = &one.body {
                expected += fields.iter().filter(|it| it.label != Repeated && is_message(&it.kind)).count();
            }
        }
        assert_eq!(fields, expected);
    }
}
