//! Reports: whatever stands in their fields, HTML, Markdown and JSON show it as text, and it is nothing but text.

use super::{every_case, mutate};
use crate::output::document::tests::hostile;

const EVERYDAY: u64 = 60;

#[test]
fn whatever_a_report_is_told_it_shows_as_text() {
    every_case("html", EVERYDAY, |rng| {
        hostile::holds(|| mutate::text(rng));
    });
}
