#![forbid(unsafe_code)]
//! wa-core
