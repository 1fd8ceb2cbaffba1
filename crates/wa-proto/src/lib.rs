#![forbid(unsafe_code)]
//! wa-proto
