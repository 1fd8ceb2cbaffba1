#![forbid(unsafe_code)]
//! wa-conformance
