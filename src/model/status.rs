//! Task statuses: which are documented, and which say that a task will not change any more.
//!
//! The upstream never documents the values for this call, so the set is open: a status is kept as sent, compared without
//! regard to case, and an unknown one counts as *possibly still changing*.

/// Statuses that the documentation of this call, of its siblings, or the vendor's own clients name.
pub(crate) const DOCUMENTED: [&str; 6] = [
    "CREATED",
    "EXECUTING",
    "SUCCESS",
    "FAILED",
    "DELETED",
    "CANCELLED",
];

/// Statuses after which a task does not change; the last two are the spellings of neighbouring calls.
pub(crate) const FINAL: [&str; 6] = [
    "SUCCESS",
    "FAILED",
    "DELETED",
    "CANCELLED",
    "CANCELED",
    "FAIL",
];

/// Of these, those of a task that did what was asked, and of one that did not.
pub(crate) const SUCCEEDED: [&str; 1] = ["SUCCESS"];
pub(crate) const FAILED: [&str; 2] = ["FAILED", "FAIL"];

/// Says whether a task with this status is finished.
pub(crate) fn is_final(status: &str) -> bool {
    is_among(&FINAL, status)
}

/// Says whether the task did what was asked.
pub(crate) fn is_success(status: &str) -> bool {
    is_among(&SUCCEEDED, status)
}

/// Says whether the task ended without doing what was asked.
pub(crate) fn is_failed(status: &str) -> bool {
    is_among(&FAILED, status)
}

/// Says whether the status is one that the documentation names.
pub(crate) fn is_documented(status: &str) -> bool {
    is_among(&DOCUMENTED, status)
}

fn is_among(known: &[&str], status: &str) -> bool {
    let mut known = known.iter();
    known.any(|known| known.eq_ignore_ascii_case(status.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_final_statuses_end_a_task() {
        for status in [
            "SUCCESS",
            "success",
            "FAILED",
            "FAIL",
            "CANCELED",
            "CANCELLED",
            "Deleted",
            " SUCCESS ",
        ] {
            assert!(is_final(status), "{status}");
        }
        for status in [
            "EXECUTING",
            "CREATED",
            "RUNNING",
            "INIT",
            "WAITING",
            "",
            "SUCCESSFUL",
            "成功",
        ] {
            assert!(!is_final(status), "{status}");
        }
    }
}
