// Written by `cargo xtask proto` from docs/data/schema.tsv.
view! {
    NonE2eeAttestationView of crate::signal_other::NonE2eeAttestation, 1;
    account_type = 1: (int32);
}
