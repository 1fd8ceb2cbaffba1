#![forbid(unsafe_code)]
//! wa-store
