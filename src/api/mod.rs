//! (in work)

pub(crate) mod canonical;
mod cut;
pub(crate) mod decode;
