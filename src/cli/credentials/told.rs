//! One value, and the place that it was taken from.

/// A value that is no secret, and where it stands: `HW_REGION_NAME`, say, or `region_name` in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) from: String,
}

impl Told {
    pub(crate) fn new(text: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            from: from.into(),
        }
    }
}
