//! wa-crypto
