#![forbid(unsafe_code)]
//! wa-signal
