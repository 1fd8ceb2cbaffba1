//! A media bot: it stores every file that it gets in a folder, and answers an image with its thumbnail, any other file
//! with its size. A file that the media hosts have forgotten it has brought back by the phone.
//!
//! `cargo run --example media -- --folder received` shows a QR code; `--server … --root …` goes to a simulator.
#![allow(clippy::print_stdout)]

mod common;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Parser as _;
use image::{ImageFormat, ImageReader, Limits};
use wa_client::Client;
use wa_client::events::{Event, EventStream, Kind};
use wa_client::media::FileRef;
use wa_client::messages::builder::Message;
use wa_client::messages::content::Content;
use wa_client::messages::types::ReceivedMessage;

/// Largest file that is stored.
const LARGEST: u64 = 100 << 20;
/// Longest edge of a thumbnail, in pixels.
const EDGE: u32 = 160;

#[derive(clap::Parser)]
struct Arguments {
    /// Where files are stored.
    #[arg(long, default_value = "received")]
    folder: PathBuf,
    #[command(flatten)]
    common: common::Arguments,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { folder, common } = Arguments::parse();
    let (client, events) = common::connect(common).await?;
    serve(&client, events, &folder).await
}

/// Stores and answers until the client stops.
pub(crate) async fn serve(client: &Client, mut events: EventStream, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    while let Some(event) = events.next().await {
        match &event.kind {
            Kind::LinkingQr(qr) => println!("{qr}"),
            Kind::Health(health) => println!("{health}"),
            Kind::Message(message) if !message.from_me => {
                if let Err(error) = take(client, &event, message, folder).await {
                    println!("{}: {error:#}", message.id);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

async fn take(client: &Client, event: &Event, message: &ReceivedMessage, folder: &Path) -> Result<()> {
    let Some(media) = message.content.media() else { return Ok(()) };
    // Named by us: what a sender calls a file must not choose where it lies.
    let name = format!("{}.{}", message.id, extension(media.mime.as_deref()));
    let path = folder.join(name);
    let download = client.media().download(FileRef::from(message)).limit(LARGEST);
    if let Err(error) = download.to_path(&path).await {
        // What an operator can do about it is in the error.
        event.answer(format!("I could not get that file: {error} ({:?})", error.advice())).await?;
        return Ok(());
    }
    let size = std::fs::metadata(&path)?.len();
    println!("{} from {}: {} ({size} bytes)", message.id, message.sender, path.display());
    let answer = match &message.content {
        Content::Image(_) => match thumbnail(path).await {
            Ok(jpeg) => Message::image(jpeg).caption("so it looks when it is small"),
            Err(error) => Message::text(format!("stored, but I cannot read it: {error:#}")),
        },
        _ => Message::text(format!("stored: {size} bytes")),
    };
    event.answer(answer.reply_to(message)).await?;
    Ok(())
}

fn extension(mime: Option<&str>) -> &'static str {
    match mime.map(|mime| mime.split(';').next().unwrap_or_default()) {
        Some("image/jpeg") => "jpg",
        Some("image/png") => "png",
        Some("image/webp") => "webp",
        Some("video/mp4") => "mp4",
        Some("audio/ogg") => "ogg",
        Some("audio/mpeg") => "mp3",
        Some("application/pdf") => "pdf",
        _ => "bin",
    }
}

/// A small JPEG of an image that a stranger sent: decoded within limits, away from the runtime's own threads.
async fn thumbnail(path: PathBuf) -> Result<Vec<u8>> {
    tokio::task::spawn_blocking(move || {
        let mut reader = ImageReader::open(path)?.with_guessed_format()?;
        let mut limits = Limits::default();
        limits.max_alloc = Some(128 << 20);
        reader.limits(limits);
        let small = reader.decode().context("no image")?.thumbnail(EDGE, EDGE).to_rgb8();
        let mut jpeg = Vec::new();
        small.write_to(&mut Cursor::new(&mut jpeg), ImageFormat::Jpeg)?;
        Ok(jpeg)
    })
    .await?
}
