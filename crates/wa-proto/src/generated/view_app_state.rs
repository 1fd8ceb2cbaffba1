// Written by `cargo xtask proto` from docs/data/schema.tsv.
view! {
    CoexStateSyncView of crate::app_state::CoexStateSync, 1;
    collection_mutations = 1: (repeated message crate::view::app_state::coex_state_sync::CollectionMutationsView);
}
pub mod coex_state_sync {
    use super::{Check, Parts, Repeated, Shape, View, read};
    view! {
        CollectionMutationsView of crate::app_state::coex_state_sync::CollectionMutations, 2;
        collection = 1: (text);
        mutations = 2: (repeated message crate::view::app_state::coex_state_sync::MutationView);
    }
    view! {
        MutationView of crate::app_state::coex_state_sync::Mutation, 4;
        index = 1: (message crate::view::app_state::SyncdIndexView);
        value = 2: (message crate::view::app_state::SyncdValueView);
        dirty_version = 3: (uint64);
        operation = 4: (int32);
    }
}
view! {
    SyncdIndexView of crate::app_state::SyncdIndex, 1;
    blob = 1: (bytes);
}
view! {
    SyncdValueView of crate::app_state::SyncdValue, 1;
    blob = 1: (bytes);
}
