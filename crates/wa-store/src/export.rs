//! One account as one file, to move it to another store. The source is marked as moved before the file is complete, so
//! that at no moment both can open; the import opens only with `restore()`.
//!
//! Layout: `"WAACCNT\0" ‖ version u16 ‖ protection u8 ‖ salt 32`, then frames `length u32 ‖ bytes`, numbers big endian.
//! A frame is sealed (AES-256-GCM, nonce = frame number) when the protection says so. The last frame holds the number of rows
//! and the SHA-256 of everything before it.

use std::fs;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wa_crypto::aead::Aes256Gcm;
use wa_crypto::digest::Sha256;

use crate::account::AccountStore;
use crate::backend::{RowKey, Scan};
use crate::changes::Changes;
use crate::envelope::StoreKey;
use crate::error::{ExportDamage, StoreError, cause};
use crate::lease::{AccountState, Intent};
use crate::store::{Account, Store};
use crate::{AccountId, Table, UnixTime};

/// Version of the export file that this library writes; it reads this one and older ones.
pub const EXPORT_VERSION: u16 = 1;

const MAGIC: &[u8; 8] = b"WAACCNT\0";
const PLAIN: u8 = 0;
const SEALED: u8 = 1;
/// Longest frame: it is cut at [`FRAME_BYTES`] plus one row, and a row is at most a batch.
const MAX_FRAME: usize = 48 * 1024 * 1024;
const PAGE: usize = 256;
/// A frame ends after so many bytes, however many rows the backend gave for a page.
const FRAME_BYTES: usize = 8 * 1024 * 1024;

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportReport {
    /// Rows in the file.
    pub rows: u64,
    /// Rows that did not decode and are not in the file.
    pub damaged: u64,
}

/// What was imported.
#[derive(Debug, Clone)]
pub struct ImportReport {
    /// The new account; open it with [`Account::restore`].
    pub account: Account,
    /// Its name in the file.
    pub named: AccountId,
    /// Rows written.
    pub rows: u64,
}

#[derive(Serialize, Deserialize)]
enum Frame {
    Account { name: String, epoch: u64 },
    Rows(Vec<ExportedRow>),
    End { rows: u64, digest: [u8; 32] },
}

#[derive(Serialize, Deserialize)]
struct ExportedRow {
    table: u8,
    key: Bytes,
    payload: Bytes,
    expires: Option<UnixTime>,
}

impl Account {
    /// Writes the account to a new file and marks it as moved: it does not open here any more. If that fails half-way, or
    /// the file gets lost before it was used, repeat it, or take the account back with [`restore`](Self::restore).
    ///
    /// The file is encrypted with `key`, or else with the store's current key; without either it holds the account's
    /// private keys and messages in the clear, readable by its owner.
    ///
    /// # Errors
    /// [`StoreError::Held`], [`StoreError::CannotOpen`] if the file exists, and what the backend says.
    pub async fn export(
        &self,
        to: impl AsRef<Path>,
        key: Option<&StoreKey>,
    ) -> Result<ExportReport, StoreError> {
        let to = to.as_ref();
        let cannot = |error| StoreError::CannotOpen { path: to.into(), source: cause(error) };
        if fs::exists(to).map_err(cannot)? {
            return Err(cannot(std::io::ErrorKind::AlreadyExists.into()));
        }
        let acquired = self.store.acquire(&self.id, Intent::Export).await?;
        let account = self.opened(acquired).await?;
        self.store.0.backend.set_state(&self.id, acquired.epoch, AccountState::Moved).await?;
        let mut salt = [0; 32];
        self.store.fill(&mut salt);
        let key = key.or(self.store.0.keys.first());
        let mut writer = Writer::create(to, salt, key.map(|key| key.for_export(&salt)))?;
        let mut report = ExportReport { rows: 0, damaged: 0 };
        let first = Frame::Account { name: self.id.as_str().to_owned(), epoch: acquired.epoch };
        writer = writer.frame(first).await?;
        for &table in Table::ALL {
            writer = export_table(&account, table, writer, &mut report).await?;
        }
        writer.finish(report.rows).await?;
        account.release().await?;
        Ok(report)
    }
}

async fn export_table(
    account: &AccountStore,
    table: Table,
    mut writer: Writer,
    report: &mut ExportReport,
) -> Result<Writer, StoreError> {
    let mut scan = Scan { table, prefix: Bytes::new(), after: None, limit: PAGE };
    loop {
        let page = account.raw_page(scan.clone()).await?;
        let Some((last, _)) = page.last() else { return Ok(writer) };
        scan.after = Some(last.key.clone());
        let (mut rows, mut size) = (Vec::with_capacity(page.len()), 0);
        for (key, opened) in page {
            let Ok((payload, expires)) = opened else {
                report.damaged += 1;
                continue;
            };
            report.rows += 1;
            size += key.key.len() + payload.len();
            rows.push(ExportedRow { table: table.number(), key: key.key, payload, expires });
            if size >= FRAME_BYTES {
                writer = writer.frame(Frame::Rows(std::mem::take(&mut rows))).await?;
                size = 0;
            }
        }
        if !rows.is_empty() {
            writer = writer.frame(Frame::Rows(rows)).await?;
        }
    }
}

impl Store {
    /// Reads an exported account into a new account, under its old name or another one. The file is checked to its end
    /// before anything is written. The account then opens only with [`Account::restore`].
    ///
    /// # Errors
    /// [`StoreError::BadExport`], [`StoreError::NewerExport`], [`StoreError::WrongKey`], [`StoreError::KeyRequired`],
    /// [`StoreError::AccountExists`], and what the backend says. A half import can only be deleted.
    pub async fn import(
        &self,
        from: impl AsRef<Path>,
        name: Option<AccountId>,
        key: Option<&StoreKey>,
    ) -> Result<ImportReport, StoreError> {
        let from = from.as_ref();
        let key = key.or(self.0.keys.first()).cloned();
        let (path, checked_with) = (from.to_owned(), key.clone());
        blocking(move || {
            let mut reader = Reader::open(&path, checked_with.as_ref())?;
            while reader.frame()?.is_some() {}
            Ok(())
        })
        .await?;
        let mut reader = Reader::open(from, key.as_ref())?;
        let Some(Frame::Account { name: named, epoch }) = reader.frame()? else {
            return Err(StoreError::BadExport(ExportDamage::Malformed));
        };
        let named = AccountId::from(named);
        let account = self.account(name.unwrap_or_else(|| named.clone()).as_str());
        let acquired = self.acquire(&account.id, Intent::Import { epoch }).await?;
        let opened = account.opened(acquired).await?;
        let mut written = 0;
        loop {
            let (back, frame) = blocking(move || {
                let frame = reader.frame()?;
                Ok((reader, frame))
            })
            .await?;
            reader = back;
            let Some(frame) = frame else { break };
            let Frame::Rows(rows) = frame else { return Err(StoreError::BadExport(ExportDamage::Malformed)) };
            written += rows.len() as u64;
            let mut changes = Changes::new();
            for row in rows {
                let table = Table::from_number(row.table).filter(|table| *table != Table::Meta);
                let table = table.ok_or(StoreError::BadExport(ExportDamage::Malformed))?;
                changes.put_payload(RowKey { table, key: row.key }, row.payload.to_vec(), row.expires);
            }
            opened.commit_in_slices(changes, |_, _| ()).await?.release();
        }
        self.0.backend.set_state(&account.id, acquired.epoch, AccountState::NeedsRestore).await?;
        opened.release().await?;
        Ok(ImportReport { account, named, rows: written })
    }
}

struct Writer {
    file: BufWriter<fs::File>,
    partial: PathBuf,
    to: PathBuf,
    seal: Option<Aes256Gcm>,
    frames: u64,
    digest: Sha256,
}

impl Writer {
    fn create(to: &Path, salt: [u8; 32], seal: Option<Aes256Gcm>) -> Result<Self, StoreError> {
        let mut partial = to.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(&partial)
            .map_err(|error| StoreError::CannotOpen { path: partial.clone(), source: cause(error) })?;
        let protection = if seal.is_some() { SEALED } else { PLAIN };
        let file = BufWriter::new(file);
        let mut writer = Self { file, partial, to: to.into(), seal, frames: 0, digest: Sha256::default() };
        let header = [&MAGIC[..], &EXPORT_VERSION.to_be_bytes(), &[protection], &salt].concat();
        writer.write(&header)?;
        Ok(writer)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.digest.update(bytes);
        self.file.write_all(bytes).map_err(io)
    }

    fn frame_now(&mut self, frame: &Frame) -> Result<(), StoreError> {
        let mut bytes = postcard::to_allocvec(frame).map_err(|error| StoreError::Io(cause(error)))?;
        if let Some(seal) = &self.seal {
            seal.seal(&nonce(self.frames), &[], &mut bytes, 0)
                .map_err(|error| StoreError::Io(cause(error)))?;
        }
        self.frames += 1;
        let length = u32::try_from(bytes.len()).map_err(|error| StoreError::Io(cause(error)))?;
        self.write(&length.to_be_bytes())?;
        self.write(&bytes)
    }

    async fn frame(mut self, frame: Frame) -> Result<Self, StoreError> {
        blocking(move || {
            self.frame_now(&frame)?;
            Ok(self)
        })
        .await
    }

    /// Makes the file durable, then gives it its name.
    async fn finish(mut self, rows: u64) -> Result<(), StoreError> {
        blocking(move || {
            let digest = self.digest.clone().finalize();
            self.frame_now(&Frame::End { rows, digest })?;
            self.file.flush().map_err(io)?;
            self.file.get_ref().sync_all().map_err(io)?;
            fs::rename(&self.partial, &self.to).map_err(io)?;
            sync_folder(&self.to);
            Ok(())
        })
        .await
    }
}

struct Reader {
    file: BufReader<fs::File>,
    open: Option<Aes256Gcm>,
    frames: u64,
    rows: u64,
    digest: Sha256,
}

impl Reader {
    fn open(path: &Path, key: Option<&StoreKey>) -> Result<Self, StoreError> {
        let file = fs::File::open(path)
            .map_err(|error| StoreError::CannotOpen { path: path.into(), source: cause(error) })?;
        let digest = Sha256::default();
        let mut reader = Self { file: BufReader::new(file), open: None, frames: 0, rows: 0, digest };
        if reader.take::<8>().map_err(|_| StoreError::BadExport(ExportDamage::Magic))? != *MAGIC {
            return Err(StoreError::BadExport(ExportDamage::Magic));
        }
        let found = u16::from_be_bytes(reader.take()?);
        if found > EXPORT_VERSION {
            return Err(StoreError::NewerExport { found, known: EXPORT_VERSION });
        }
        let [protection] = reader.take()?;
        let salt = reader.take::<32>()?;
        reader.open = match (protection, key) {
            (PLAIN, _) => None,
            (SEALED, Some(key)) => Some(key.for_export(&salt)),
            (SEALED, None) => return Err(StoreError::KeyRequired),
            _ => return Err(StoreError::BadExport(ExportDamage::Malformed)),
        };
        Ok(reader)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes).map_err(cut_off)?;
        self.digest.update(&bytes);
        Ok(bytes)
    }

    /// The next frame; `None` after a last one that fits.
    fn frame(&mut self) -> Result<Option<Frame>, StoreError> {
        let digest = self.digest.clone().finalize();
        let length = u32::from_be_bytes(self.take()?);
        if length as usize > MAX_FRAME {
            return Err(StoreError::BadExport(ExportDamage::Malformed));
        }
        // Grows with what is really there, whatever the length announces.
        let mut bytes = Vec::new();
        let read = self.file.by_ref().take(length.into()).read_to_end(&mut bytes).map_err(io)?;
        if read < length as usize {
            return Err(StoreError::BadExport(ExportDamage::CutOff));
        }
        self.digest.update(&bytes);
        let plain = match &self.open {
            Some(open) => match open.open(&nonce(self.frames), &[], &mut bytes) {
                Ok(plain) => &*plain,
                // The first frame tells a wrong key from a file that was damaged on its way.
                Err(_) if self.frames == 0 => return Err(StoreError::WrongKey),
                Err(_) => return Err(StoreError::BadExport(ExportDamage::Digest)),
            },
            None => &bytes,
        };
        self.frames += 1;
        let frame =
            postcard::from_bytes(plain).map_err(|_| StoreError::BadExport(ExportDamage::Malformed))?;
        match &frame {
            Frame::Account { .. } => {}
            Frame::Rows(rows) => self.rows += rows.len() as u64,
            Frame::End { rows, digest: stored } => {
                if *rows != self.rows || *stored != digest {
                    return Err(StoreError::BadExport(ExportDamage::Digest));
                }
                return Ok(None);
            }
        }
        Ok(Some(frame))
    }
}

fn nonce(frame: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&frame.to_be_bytes());
    nonce
}

fn io(error: std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::DiskFull(cause(error)),
        _ => StoreError::Io(cause(error)),
    }
}

fn cut_off(error: std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => StoreError::BadExport(ExportDamage::CutOff),
        _ => io(error),
    }
}

/// Makes a new name durable where the system lets folders be synced.
pub(crate) fn sync_folder(of: &Path) {
    if let Some(folder) = of.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// File work away from the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Closed))
}
