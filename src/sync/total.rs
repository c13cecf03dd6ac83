//! What `task_count` means at an endpoint: learned from evidence, answer by answer.
//!
//! The documentation does not say whether the count is the length of the list or of the page, and servers were seen to cap
//! it. So it is believed only after an answer showed that it counts more than its own page, and no longer once an answer
//! contradicts it.

use crate::model::ledger::{Endpoint, TotalTrust};

/// Learns from one answer: `count` records at `offset`, with that total beside them.
///
/// An empty answer teaches nothing: a count beside it may be as wrong as the list.
pub(crate) fn learn(endpoint: Endpoint, offset: u64, count: u64, total: Option<u64>) -> Endpoint {
    if count == 0 {
        return endpoint;
    }
    let longest_page = endpoint.longest_page.max(count);
    let trust = match total {
        Some(total) if offset.saturating_add(count) > total => TotalTrust::Distrusted,
        Some(total) if total > count && endpoint.trust == TotalTrust::Unknown => {
            TotalTrust::Trusted
        }
        _ => endpoint.trust,
    };
    Endpoint {
        trust,
        longest_page,
        ..endpoint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TotalTrust::{Distrusted, Trusted, Unknown};

    #[test]
    fn a_total_is_trusted_on_evidence_and_until_contradicted() {
        let cases = [
            ("more than the page", Unknown, 0, 10, Some(25), Trusted),
            (
                "just the page: nothing learned",
                Unknown,
                0,
                10,
                Some(10),
                Unknown,
            ),
            ("no count", Unknown, 0, 10, None, Unknown),
            ("an empty answer", Unknown, 0, 0, Some(25), Unknown),
            (
                "the last page of a trusted list",
                Trusted,
                19,
                6,
                Some(25),
                Trusted,
            ),
            ("the count of a page", Trusted, 9, 10, Some(10), Distrusted),
            (
                "the count of what is left",
                Unknown,
                19,
                6,
                Some(7),
                Distrusted,
            ),
            ("too low", Trusted, 0, 10, Some(9), Distrusted),
            (
                "once contradicted, a larger one does not help",
                Distrusted,
                0,
                10,
                Some(25),
                Distrusted,
            ),
            ("absent later", Trusted, 9, 10, None, Trusted),
            ("absurdly far", Unknown, u64::MAX, 10, Some(25), Distrusted),
        ];
        for (name, trust, offset, count, total, expected) in cases {
            let before = Endpoint {
                trust,
                ..Endpoint::default()
            };
            assert_eq!(
                learn(before, offset, count, total).trust,
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn the_longest_page_is_remembered() {
        let endpoint = learn(Endpoint::default(), 0, 10, None);
        assert_eq!(endpoint.longest_page, 10);
        assert_eq!(learn(endpoint, 9, 3, None).longest_page, 10);
    }
}
