#![forbid(unsafe_code)]
//! wa-sim
