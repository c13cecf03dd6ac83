//! One task record, opened: the JSON text of each of its members, still as sent.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The members of one record. Each known field is the JSON text of its value; one that is absent or null is `None`.
///
/// Where a name occurs twice in a record, the last one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Task<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) details: Option<&'a str>,
    pub(crate) user_name: Option<&'a str>,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) params: Option<&'a str>,
    pub(crate) status: Option<&'a str>,
    pub(crate) created_at: Option<&'a str>,
    pub(crate) updated_at: Option<&'a str>,
    pub(crate) enable_show: Option<&'a str>,
    /// Documented for the task centre's list only; the vendor's own client reads it here too.
    pub(crate) error_code: Option<&'a str>,
    /// As `error_code`.
    pub(crate) job_id: Option<&'a str>,
    /// Members that the documentation does not know, with the JSON text of each, null included.
    pub(crate) unknown: BTreeMap<Cow<'a, str>, &'a str>,
}
