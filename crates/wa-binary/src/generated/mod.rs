//! Generated tables.

pub(crate) mod tokens;
