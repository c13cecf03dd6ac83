//! What a sync sees in passing, and what it makes of a change.

use super::*;
use crate::model::absence::Borders;
use crate::model::time::{MINUTE, Timestamp};
use crate::model::upstream::Told;
use crate::sync::walk::{End, Totals};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + minute * MINUTE).unwrap()
}

fn page(count: usize, total: Option<u64>, form: CountForm) -> Page {
    let rejected = |_| {
        crate::model::record::Record::Rejected(crate::model::record::Rejected {
            id: None,
            raw: Vec::new(),
            digest: [0; 32],
            reason: String::new(),
        })
    };
    Page {
        total,
        count_form: form,
        records: (0..count).map(rejected).collect(),
        unknown: Vec::new(),
    }
}

fn walked(positions: u64, total: Option<u64>, minutes: &[i64]) -> Walked {
    let mut trend = Trend::default();
    for minute in minutes {
        trend.note(Some(at(*minute)), Some(at(*minute)));
    }
    Walked {
        end: End::OnlyShared,
        positions,
        seams: true,
        repeats: false,
        totals: total.map_or(Totals::Absent, Totals::Same),
        largest_total: total,
        sequence: [0; 32],
        pages: 1,
        regular: true,
        trend,
        borders: Borders::default(),
        slipped: Vec::new(),
    }
}

fn list() -> List {
    List::Tasks("i".to_owned())
}

/// The findings as `aspect word`.
fn words(seen: &Seen) -> Vec<String> {
    let told = |finding: Finding| match finding.told {
        Told::Known { word, .. } => format!("{} {word}", finding.aspect.as_str()),
        Told::CannotBeTold { why } => panic!("a sync keeps quiet about that: {why}"),
    };
    seen.findings().into_iter().map(told).collect()
}

#[test]
fn nothing_is_found_of_nothing() {
    assert_eq!(words(&Seen::default()), Vec::<String>::new());
}

#[test]
fn answers_show_the_form_of_the_count_and_the_largest_page() {
    use CountForm::{Number, Text};
    use TotalTrust::{Distrusted, Trusted};
    // Offset, limit, records, count, trust.
    type Answer = (u64, u64, usize, Option<u64>, TotalTrust);
    let cases: [(&str, &[Answer], &[&str]); 6] = [
        (
            "a short list",
            &[(0, 1000, 40, Some(40), Trusted)],
            &["count_type number"],
        ),
        (
            "a full page",
            &[(0, 1000, 1000, Some(1500), Trusted)],
            &["count_type number", "page_limit served"],
        ),
        (
            "a page that was asked to be small",
            &[(0, 12, 12, Some(1500), Trusted)],
            &["count_type number"],
        ),
        (
            "a page that is cut",
            &[(0, 1000, 50, Some(1500), Trusted)],
            &["count_type number", "page_limit cut"],
        ),
        (
            "the last page",
            &[(1450, 1000, 50, Some(1500), Trusted)],
            &["count_type number"],
        ),
        (
            "by a count that nobody believes",
            &[(0, 1000, 50, Some(1500), Distrusted)],
            &["count_type number"],
        ),
    ];
    for (name, answers, expected) in cases {
        let mut seen = Seen::default();
        for (offset, limit, count, total, trust) in answers {
            seen.page(*offset, *limit, &page(*count, *total, Number), *trust);
        }
        assert_eq!(words(&seen), expected, "{name}");
    }
    let mut seen = Seen::default();
    for form in [Text, Number, Number] {
        seen.page(0, 1000, &page(1, Some(1), form), Trusted);
    }
    assert_eq!(words(&seen), ["count_type mixed"]);
}

#[test]
fn a_proof_shows_what_the_count_means_and_in_which_order_the_list_comes() {
    use TotalTrust::{Distrusted, Trusted, Unknown};
    let mut seen = Seen::default();
    seen.proven(&list(), &walked(4, Some(4), &[4, 3, 2, 1]), Trusted);
    assert_eq!(words(&seen), ["count total", "order newest first"]);
    // A list that fits an unbelieved count, and one that came without, tell nothing of it.
    seen.proven(&list(), &walked(1, Some(1), &[1]), Unknown);
    seen.proven(&list(), &walked(1, None, &[1]), Distrusted);
    seen.proven(&list(), &walked(1, Some(1), &[1]), Distrusted);
    assert_eq!(words(&seen), ["count total", "order newest first"]);
    seen.proven(&list(), &walked(4, Some(2), &[1, 2, 3, 4]), Distrusted);
    assert_eq!(words(&seen), ["count no total", "order unordered"]);
}

#[test]
fn of_two_manners_the_one_that_a_list_must_allow_counts() {
    let mut seen = Seen::default();
    seen.window(&list(), Window::Whole);
    assert_eq!(words(&seen), ["default_window whole"]);
    seen.window(&list(), Window::Hidden);
    assert_eq!(words(&seen), ["default_window hides old records"]);
    seen.refused = Some("limit=1000 was refused".to_owned());
    seen.served = true;
    assert_eq!(
        words(&seen),
        ["page_limit refused", "default_window hides old records"]
    );
}
