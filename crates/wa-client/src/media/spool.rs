//! Temporary files: private, and gone on every way out but the one that keeps them (chapter 06 §4).

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rand_core::Rng as _;

use crate::shared::Shared;

/// A file that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct TemporaryFile {
    path: PathBuf,
    kept: bool,
}

impl TemporaryFile {
    /// A new file in `folder`, hidden and for this user alone (0600), and its handle.
    pub(super) async fn create(shared: &Shared, folder: &Path) -> io::Result<(Self, File)> {
        let path = folder.join(format!(".wa-{:016x}.part", shared.rng().next_u64()));
        blocking(move || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&path)?;
            Ok((Self { path, kept: false }, file))
        })
        .await
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name, in place of whatever has it.
    pub(super) async fn rename(mut self, to: PathBuf) -> io::Result<()> {
        let from = self.path.clone();
        blocking(move || std::fs::rename(from, to)).await?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.kept {
            // Gone already is as good.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Runs what waits for a disk where it holds up nobody.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
