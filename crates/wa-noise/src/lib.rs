#![forbid(unsafe_code)]
//! wa-noise
