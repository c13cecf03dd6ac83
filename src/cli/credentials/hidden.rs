//! A text that may hold a secret, on its way from where it stands to the type that it becomes.
//!
//! It has no `Display`, its `Debug` shows stars, and its bytes are overwritten when it is dropped, as far as safe code can.

use std::{fmt, hint::black_box};

#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Hidden(String);

impl Hidden {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text to whoever reads it; what is shown of it is for them to answer for.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Hidden(***)")
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        // The optimiser must not conclude that nobody looks at the zeros.
        black_box(&bytes);
    }
}
