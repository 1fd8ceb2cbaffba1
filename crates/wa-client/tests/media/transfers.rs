//! Files of every length go up and come down, whole and in part, into files, writers and memory.

use tempfile::TempDir;
use wa_client::media::{Monitor, TransferError};
use wa_client::messages::content::MediaKind;

use crate::stage::Stage;

/// Bytes that no pattern repeats.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    use rand::{RngExt as _, SeedableRng as _};
    let mut bytes = vec![0; length];
    rand::rngs::StdRng::seed_from_u64(seed).fill(&mut bytes[..]);
    bytes
}

#[tokio::test(start_paused = true)]
async fn files_of_every_length_go_up_and_come_down() {
    let stage = Stage::new(81).await;
    let (client, _events) = stage.linked().await;
    let folder = TempDir::new().unwrap();
    for length in [0, 1, 15, 16, 17, 65_535, 65_536, 65_537, 200_000] {
        let file = noise(length, 1);
        let source = folder.path().join("source");
        std::fs::write(&source, &file).unwrap();
        for from_path in [true, false] {
            let media = match from_path {
                true => client.media().upload(MediaKind::Document, &source).await,
                false => client.media().upload(MediaKind::Document, file.clone()).await,
            };
            let media = media.expect("it goes up");
            assert!(media.is_uploaded());
            let target = folder.path().join("target");
            client.media().download(&media).to_path(&target).await.expect("it comes down");
            assert_eq!(std::fs::read(&target).unwrap(), file, "{length}");
            assert_eq!(client.media().download(&media).to_bytes(1 << 20).await.unwrap(), file);
            let mut written = Vec::new();
            client.media().download(&media).to_writer(&mut written).await.unwrap();
            assert_eq!(written, file);
        }
    }
    // Source and target: nothing temporary is left.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_and_a_limit_holds() {
    let stage = Stage::new(82).await;
    let (client, _events) = stage.linked().await;
    let file = noise(300_000, 2);
    let monitor = Monitor::new();
    let sealed = client.media().seal(MediaKind::Video, file.clone()).await.unwrap();
    assert!(sealed.sidecar().is_some() && sealed.media().direct_path.is_none());
    let mut media = client.media().upload_sealed(&sealed, &monitor).await.unwrap();
    let progress = monitor.progress();
    assert_eq!(Some(progress.done), progress.total);
    // What is sealed can be uploaded again, and is in the same place.
    assert_eq!(client.media().upload_sealed(&sealed, &Monitor::new()).await.unwrap(), media);
    let refused = client.media().download(&media).to_bytes(299_999).await;
    assert!(matches!(refused, Err(TransferError::TooLarge { limit: 299_999 })), "{refused:?}");
    // Nor when the sender says that it is small.
    media.size = Some(10);
    let refused = client.media().download(&media).to_bytes(200_000).await;
    assert!(matches!(refused, Err(TransferError::TooLarge { limit: 200_000 })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_read_once_is_sealed_into_a_temporary_file() {
    let stage = Stage::new(83).await;
    let (client, _events) = stage.linked().await;
    let folder = TempDir::new().unwrap();
    let file = noise(150_000, 3);
    let sealed =
        client.media().seal_reader(MediaKind::Document, &mut &file[..], folder.path()).await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let media = client.media().upload_sealed(&sealed, &Monitor::new()).await.unwrap();
    drop(sealed);
    assert_eq!(client.media().download(&media).to_bytes(1 << 20).await.unwrap(), file);
    tokio::task::yield_now().await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
