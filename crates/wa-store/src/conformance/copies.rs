//! Copies of an account: what a restore discards, how an export moves it, and files that are not what they should be.

use std::sync::Arc;

use bytes::Bytes;

use super::typed::{device, group, kv, open, pair, phone, store};
use super::{Cut, Unreliable};
use crate::backend::Backend;
use crate::records::{DistributionMark, MarkState, PreKey, PreKeyState, Sending, Session};
use crate::tables::{
    Devices, DistributionMarks, Identities, KeyValues, OwnSenderKeys, PreKeys, SenderKeys, Sessions,
};
use crate::{AccountStore, Changes, EXPORT_VERSION, Retry, StoreError, StoreKey};

async fn fill(account: &AccountStore) {
    let mut changes = Changes::new();
    changes
        .put(Devices, &(), &device())
        .put(Sessions, &phone(), &Session::new(Bytes::from_static(b"record")))
        .put(Identities, &phone(), &Bytes::from_static(&[5; 32]))
        .put(SenderKeys, &(group(), phone()), &Bytes::from_static(b"theirs"))
        .put(OwnSenderKeys, &(group(), phone()), &Bytes::from_static(b"ours"))
        .put(
            DistributionMarks,
            &(group(), phone()),
            &DistributionMark { key_id: 1, state: MarkState::Confirmed },
        )
        .put(PreKeys, &7, &PreKey { key: pair(7), state: PreKeyState::Offered })
        .put(KeyValues, &kv("x"), &Bytes::from_static(b"kept"));
    account.commit(changes).await.expect("a commit").release();
}

async fn is_safe(account: &AccountStore) {
    let session =
        account.one(Sessions, &phone()).await.expect("a read").expect("the session is kept for receiving");
    assert_eq!((session.sending, session.record), (Sending::Discarded, Bytes::from_static(b"record")));
    assert!(account.whole(OwnSenderKeys).await.expect("a scan").is_empty(), "own sender keys");
    assert!(account.whole(DistributionMarks).await.expect("a scan").is_empty(), "distribution marks");
    assert!(account.whole(PreKeys).await.expect("a scan").is_empty(), "one-time pre-keys");
    let burnt = account.one(Devices, &()).await.expect("a read").expect("the device is kept");
    assert!(burnt.next_prekey_id > device().next_prekey_id && !burnt.server_has_prekeys);
    assert_eq!(burnt.first_unuploaded_prekey_id, burnt.next_prekey_id);
    assert_eq!(burnt.identity_key, device().identity_key);
    assert_eq!(account.whole(SenderKeys).await.expect("a scan").len(), 1, "what others gave us is kept");
    assert_eq!(account.one(KeyValues, &kv("x")).await.expect("a read"), Some(Bytes::from_static(b"kept")));
}

pub async fn a_restore_discards_what_could_be_used_twice(backend: Arc<dyn Backend>) {
    let account = open(&backend, "a").await;
    fill(&account).await;
    let before = account.epoch();
    let restored = store(&backend).await.account("a").restore().await.expect("a restore");
    assert_eq!((restored.sessions, restored.damaged), (1, 0));
    assert!(restored.account.epoch() > before, "the epoch is raised");
    is_safe(&restored.account).await;
    is_safe(&open(&backend, "a").await).await;
}

pub async fn an_export_moves_the_account(backend: Arc<dyn Backend>) {
    let folder = Folder::new();
    let file = folder.file("a.export");
    let key = StoreKey::new([4; 32]);
    let here = store(&backend).await;
    let account = here.account("a").open().await.expect("the account opens");
    fill(&account).await;
    let report = here.account("a").export(&file, Some(&key)).await.expect("an export");
    assert_eq!((report.rows, report.damaged), (8, 0));
    assert!(matches!(here.account("a").open().await, Err(StoreError::Moved(_))), "the source does not open");
    let mut changes = Changes::new();
    changes.put(KeyValues, &kv("x"), &Bytes::from_static(b"late"));
    assert!(account.commit(changes).await.is_err(), "an opening from before the export is fenced");
    assert!(matches!(here.import(&file, Some("b".into()), None).await, Err(StoreError::KeyRequired)));
    let wrong = StoreKey::new([5; 32]);
    assert!(matches!(here.import(&file, Some("b".into()), Some(&wrong)).await, Err(StoreError::WrongKey)));
    let taken = here.import(&file, None, Some(&key)).await;
    assert!(matches!(taken, Err(StoreError::AccountExists(_))), "{taken:?}");
    let imported = here.import(&file, Some("b".into()), Some(&key)).await.expect("an import");
    assert_eq!((imported.rows, imported.named.as_str()), (8, "a"));
    assert!(matches!(imported.account.open().await, Err(StoreError::NeedsRestore(_))));
    is_safe(&imported.account.restore().await.expect("a restore").account).await;
    imported.account.open().await.expect("from now on it opens");
    is_safe(&here.account("a").restore().await.expect("the source can be taken back").account).await;
}

pub async fn a_damaged_export_writes_nothing(backend: Arc<dyn Backend>) {
    let folder = Folder::new();
    let here = store(&backend).await;
    fill(&here.account("a").open().await.expect("the account opens")).await;
    for key in [None, Some(StoreKey::new([4; 32]))] {
        let good = folder.file(if key.is_some() { "sealed" } else { "plain" });
        here.account("a").export(&good, key.as_ref()).await.expect("an export, again if need be");
        let bytes = std::fs::read(&good).expect("the file");
        let bad = folder.file("bad");
        let mut damages: Vec<Vec<u8>> =
            (0..bytes.len()).step_by(37).map(|len| bytes[..len].to_vec()).collect();
        for place in (0..bytes.len()).step_by(41) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 0x10;
            damages.push(flipped);
        }
        for damaged in damages {
            std::fs::write(&bad, &damaged).expect("the file");
            let imported = here.import(&bad, Some("b".into()), key.as_ref()).await;
            assert!(imported.is_err(), "{} bytes were imported", damaged.len());
            assert_eq!(here.accounts(None, 10).await.expect("a list").len(), 1, "nothing was written");
        }
    }
}

pub async fn a_restore_that_was_interrupted_is_repeated(backend: Arc<dyn Backend>) {
    let folder = Folder::new();
    let file = folder.file("a.export");
    let unreliable = Arc::new(Unreliable::new(Arc::clone(&backend)));
    let through: Arc<dyn Backend> = unreliable.clone();
    let here = store(&backend).await;
    fill(&here.account("a").open().await.expect("the account opens")).await;
    here.account("a").export(&file, None).await.expect("an export");
    let copy = here.import(&file, Some("b".into()), None).await.expect("an import").account;
    let shaky = store(&through).await.account("b");
    for cut in [Cut::Before, Cut::After] {
        unreliable.cut_next(cut);
        let failed = shaky.restore().await.map(drop).expect_err("the connection is lost");
        assert_eq!(failed.retry(), Retry::Same);
        let half = copy.open().await;
        assert!(matches!(half, Err(StoreError::NeedsRestore(_))), "half restored it does not open: {half:?}");
    }
    is_safe(&shaky.restore().await.expect("the whole of it").account).await;
    is_safe(&copy.open().await.expect("from now on it opens")).await;
}

pub async fn an_import_that_was_interrupted_can_only_be_deleted(backend: Arc<dyn Backend>) {
    let folder = Folder::new();
    let file = folder.file("a.export");
    let unreliable = Arc::new(Unreliable::new(Arc::clone(&backend)));
    let through: Arc<dyn Backend> = unreliable.clone();
    let (here, shaky) = (store(&backend).await, store(&through).await);
    fill(&here.account("a").open().await.expect("the account opens")).await;
    here.account("a").export(&file, None).await.expect("an export");
    unreliable.cut_next(Cut::After);
    let failed = shaky.import(&file, Some("b".into()), None).await.map(drop);
    assert!(failed.is_err_and(|error| error.retry() == Retry::Same), "the connection is lost");
    let half = here.account("b");
    assert!(matches!(half.open().await, Err(StoreError::Deleting(_))));
    assert!(matches!(half.restore().await, Err(StoreError::Deleting(_))));
    let again = here.import(&file, Some("b".into()), None).await;
    assert!(matches!(again, Err(StoreError::Deleting(_))), "{again:?}");
    half.delete().await.expect("half an import can be thrown away");
    let imported = here.import(&file, Some("b".into()), None).await.expect("the whole of it");
    is_safe(&imported.account.restore().await.expect("a restore").account).await;
}

pub async fn an_export_of_large_rows_comes_back(backend: Arc<dyn Backend>) {
    let folder = Folder::new();
    let file = folder.file("large.export");
    let here = store(&backend).await;
    let account = here.account("a").open().await.expect("the account opens");
    // Together more than one frame of the file may hold.
    let large = |n: u8| Bytes::from(vec![n; 3 * 1024 * 1024]);
    for n in 0..20 {
        let mut changes = Changes::new();
        changes.put(KeyValues, &kv(&n.to_string()), &large(n));
        account.commit(changes).await.expect("a commit").release();
    }
    here.account("a").export(&file, None).await.expect("an export");
    let imported = here.import(&file, Some("b".into()), None).await.expect("an import");
    assert_eq!(imported.rows, 20);
    let restored = imported.account.restore().await.expect("a restore").account;
    for n in 0..20 {
        let value = restored.one(KeyValues, &kv(&n.to_string())).await.expect("a read");
        assert!(value == Some(large(n)), "row {n}");
    }
}

pub async fn a_newer_export_is_refused(backend: Arc<dyn Backend>) {
    let folder = Folder::new();
    let file = folder.file("a.export");
    let here = store(&backend).await;
    fill(&here.account("a").open().await.expect("the account opens")).await;
    here.account("a").export(&file, None).await.expect("an export");
    let mut bytes = std::fs::read(&file).expect("the file");
    bytes[8..10].copy_from_slice(&(EXPORT_VERSION + 1).to_be_bytes());
    std::fs::write(&file, bytes).expect("the file");
    let imported = here.import(&file, Some("b".into()), None).await;
    let wanted = (EXPORT_VERSION + 1, EXPORT_VERSION);
    assert!(
        matches!(&imported, Err(StoreError::NewerExport { found, known }) if (*found, *known) == wanted),
        "{imported:?}"
    );
}

/// A folder in the system's temporary one, gone at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("wa-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
