//! The memory backend keeps every rule, and the suite notices one that does not.

use wa_store::conformance::check;
use wa_store::sabotage::Sabotage;
use wa_store::{Durability, MemoryBackend, MemoryStore, StoreError};

wa_store::conformance!(conforms, || async { MemoryBackend::default() });

#[tokio::test]
async fn the_suite_catches_a_backend_without_a_fence() {
    let findings = check(|| async { MemoryBackend::sabotaged(Sabotage::NoFenceCheck) }).await;
    let names: Vec<&str> = findings.iter().map(|finding| finding.case).collect();
    for case in [
        "a_stale_epoch_fails_alone",
        "the_same_holder_opens_again_at_once",
        "a_random_history_agrees_with_the_model",
    ] {
        assert!(names.contains(&case), "{case} did not notice: {names:?}");
    }
    assert!(check(|| async { MemoryBackend::default() }).await.is_empty());
}

#[tokio::test]
async fn memory_promises_nothing_and_has_nothing_to_copy() {
    let store = MemoryStore::open().await.unwrap();
    assert_eq!(store.durability(), Durability::None);
    for missing in [store.backup("nowhere").await, store.vacuum().await] {
        assert!(matches!(missing, Err(StoreError::Unsupported(_))), "{missing:?}");
    }
}
