//! Proof of life by the operating system: each holder keeps a file beside the database locked. Whoever gets that lock
//! knows that the process is gone, without waiting for the heartbeat to expire.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::HolderId;

/// The lock of one living holder.
#[derive(Debug)]
pub(super) struct HolderLock {
    path: PathBuf,
    _file: File,
}

impl HolderLock {
    /// Locks the holder's file; `None` if somebody else has it or the folder allows no files. Without it others cannot
    /// prove our death and wait for the heartbeat to expire: safe, only slower.
    pub(super) fn take(database: &Path, holder: &HolderId) -> Option<Self> {
        let path = lock_path(database, holder);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).ok()?;
        file.try_lock().ok()?;
        Some(Self { path, _file: file })
    }

    /// Unlocks and removes the file.
    pub(super) fn give_up(self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the holder's process is proven to be gone.
pub(super) fn is_proven_dead(database: &Path, holder: &HolderId) -> bool {
    let Ok(file) = OpenOptions::new().write(true).open(lock_path(database, holder)) else { return false };
    match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

/// Removes what a dead holder left.
pub(super) fn clear(database: &Path, holder: &HolderId) {
    let _ = fs::remove_file(lock_path(database, holder));
}

fn lock_path(database: &Path, holder: &HolderId) -> PathBuf {
    let digest = wa_crypto::digest::sha256(&[holder.as_str().as_bytes()]);
    let mut name = database.as_os_str().to_owned();
    name.push("-holder-");
    for byte in &digest[..8] {
        name.push(format!("{byte:02x}"));
    }
    name.into()
}
