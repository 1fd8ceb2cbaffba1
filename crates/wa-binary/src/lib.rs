#![forbid(unsafe_code)]
//! wa-binary
