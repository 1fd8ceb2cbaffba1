//! Tokens beside a message: the reporting token that lets the server verify a report of abuse (chapter 04 §19), and
//! the privacy tokens that let a message through to people who restrict who may write to them (chapter 04 §20).

mod filter;
pub mod privacy;
pub mod reporting;
