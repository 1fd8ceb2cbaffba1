//! Files of every length go up and come down, whole and in part, into files, writers and memory.

use std::time::Duration;

use tempfile::TempDir;
use wa_client::media::{FileRef, MediaError, Monitor, TransferError};
use wa_client::messages::content::MediaKind;

use crate::samples::noise;
use crate::stage::{PATIENCE, Stage};

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
    // The task that made the request's body ends by itself.
    let gone = async {
        while std::fs::read_dir(folder.path()).unwrap().count() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the temporary file is removed");
}

#[tokio::test(start_paused = true)]
async fn a_range_is_verified_by_the_sidecar_and_read_from_anywhere() {
    let stage = Stage::new(84).await;
    let (client, _events) = stage.linked().await;
    let file = noise(300_001, 4);
    let sealed = client.media().seal(MediaKind::Video, file.clone()).await.unwrap();
    let media = client.media().upload_sealed(&sealed, &Monitor::new()).await.unwrap();
    let with = |sidecar: Vec<u8>| FileRef::with_sidecar(&media, sidecar);
    let sidecar = sealed.sidecar().unwrap().to_vec();
    for range in [0..1, 5..70_000, 65_535..65_537, 131_072..196_608, 299_990..300_001, 0..300_001] {
        let wanted = &file[range.start as usize..range.end as usize];
        let read = client.media().download(with(sidecar.clone())).range(range.clone()).await.unwrap();
        assert!(read == wanted, "{range:?}");
        let read = client.media().download(&media).range_unverified(range.clone()).await.unwrap();
        assert!(read == wanted, "{range:?}");
    }
    let refused = client.media().download(&media).range(0..5).await;
    assert!(matches!(refused, Err(TransferError::File(MediaError::SidecarMissing(_)))), "{refused:?}");
    let refused = client.media().download(with(sidecar.clone())).range(300_000..300_002).await;
    assert!(matches!(refused, Err(TransferError::File(MediaError::Range))), "{refused:?}");
    // A part that is not what was sealed.
    let mut bent = sidecar;
    bent[12] ^= 1;
    let refused = client.media().download(with(bent.clone())).range(70_000..70_010).await;
    assert!(matches!(refused, Err(TransferError::File(MediaError::Sidecar(1)))), "{refused:?}");
    assert!(client.media().download(with(bent)).range(0..10).await.is_ok());
}
