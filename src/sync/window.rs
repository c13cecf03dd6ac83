//! Whether the unfiltered list is the whole list: what one request with a start in the year 2000 tells about it. Pure.
//!
//! A server may show only the last days unless asked for more. The same total under an early start says that it does not.

use crate::model::ledger::TotalTrust;

/// What the request was answered: records on its page, and the total beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) count: u64,
    pub(crate) total: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Nothing speaks against the unfiltered list being the whole one.
    Whole,
    /// The unfiltered list hides records.
    Hidden,
    /// The count is that of the page: what was proven by it is not.
    CountsThePage,
    /// An answer spoke against it and could not be asked for again: nothing is proven.
    Doubted,
    /// It cannot be told; nothing is called missing on this evidence.
    Untold,
}

/// Compares the answer with a proven walk of `positions` records.
pub(crate) fn compare(probe: Probe, positions: u64, trust: TotalTrust) -> Window {
    let trusted = trust == TotalTrust::Trusted;
    match probe.total {
        Some(total) if total == positions => Window::Whole,
        Some(total) if total > positions && trusted => Window::Hidden,
        Some(total) if total < positions && trusted && probe.count > 0 && total == probe.count => {
            Window::CountsThePage
        }
        // Where the count means nothing, two equal walks were the proof, and a count below speaks against nothing.
        Some(total) if total < positions && !trusted => Window::Whole,
        None if !trusted => Window::Whole,
        _ => Window::Untold,
    }
}

#[cfg(test)]
mod tests {
    use TotalTrust::{Distrusted, Trusted, Unknown};

    use super::*;

    #[test]
    fn a_hidden_default_window_is_found_by_a_larger_total() {
        let cases = [
            ("the same", 2, Some(40), 40, Trusted, Window::Whole),
            (
                "more than was shown",
                2,
                Some(41),
                40,
                Trusted,
                Window::Hidden,
            ),
            (
                "fewer: the filter hides some, or the list moved",
                2,
                Some(39),
                40,
                Trusted,
                Window::Untold,
            ),
            (
                "the count of its own page",
                2,
                Some(2),
                40,
                Trusted,
                Window::CountsThePage,
            ),
            ("two records in all", 2, Some(2), 2, Trusted, Window::Whole),
            ("no count", 2, None, 40, Trusted, Window::Untold),
            ("an empty answer", 0, Some(0), 40, Trusted, Window::Untold),
            ("no count anywhere", 2, None, 40, Unknown, Window::Whole),
            (
                "the count of a page, known as such",
                2,
                Some(2),
                40,
                Distrusted,
                Window::Whole,
            ),
            (
                "a larger count that nobody believes",
                2,
                Some(99),
                40,
                Distrusted,
                Window::Untold,
            ),
            ("an empty list", 0, Some(0), 0, Trusted, Window::Whole),
        ];
        for (name, count, total, positions, trust, expected) in cases {
            assert_eq!(
                compare(Probe { count, total }, positions, trust),
                expected,
                "{name}"
            );
        }
    }
}
