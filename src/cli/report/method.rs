//! The last chapter: by which rules the report was made, and how to check it.

use super::chapters::rows_kept;
use super::gather::Report;
use super::say::{Say, grouped, length, nothing};
use crate::output::document::{Block, Level, Section, Shown, Tone};
use crate::store::chain::hex;

pub(super) fn section(report: &Report, say: &Say<'_>) -> Section {
    let asked = &report.asked;
    let head = report.head.as_ref().map_or_else(nothing, |head| {
        Shown::new(format!("{} (sync {})", hex(&head.digest), head.sync_id))
    });
    let rejected = u64::from(report.rejected);
    let rejected = if rejected == 0 {
        nothing()
    } else {
        Shown::new(grouped(rejected)).toned(Tone::Unknown)
    };
    let fields = [
        (
            "Period",
            Shown::new(format!(
                "{} (included) to {} (excluded)",
                say.moment(asked.since),
                say.moment(asked.until)
            )),
        ),
        ("Last reading", say.time(report.read_until)),
        ("Head of the hash chain", head),
        (
            "Longest time between readings that is no gap",
            Shown::new(length(asked.rules.max_gap)),
        ),
        (
            "How late a record may show",
            Shown::new(length(asked.rules.settle)),
        ),
        ("Long is more than", Shown::new(length(asked.long))),
        ("Records that could not be read", rejected),
        ("Redacted", redacted(report)),
    ];
    let fields = fields.map(|(name, shown)| (name.to_owned(), shown));
    let texts = [
        "A task belongs to the period that it was created in, by the cloud's own time. How it ended is what the archive knew at its \
         last reading, not what was known when the period was over. Durations are from creation to the last update.".to_owned(),
        rows_kept(report),
        "The archive is a copy of what the cloud's interface listed. It can prove that a reading was whole; it cannot prove that the \
         cloud recorded every change, nor what was deleted between two readings. Each sync seals what it wrote with a hash chain: \
         `dcs-history verify --head HASH`, with the head above, says whether the archive still contains what this report rests on. \
         The same archive and the same period give the same report, byte by byte.".to_owned(),
    ];
    let mut blocks = vec![Block::Fields(fields.to_vec())];
    blocks.extend(texts.map(Block::Text));
    Section {
        id: "method".to_owned(),
        title: "How this report was made".to_owned(),
        level: Level::Chapter,
        blocks,
    }
}

/// What was left out, in words.
fn redacted(report: &Report) -> Shown {
    let words = report.asked.redact.words();
    if words.is_empty() {
        nothing()
    } else {
        Shown::new(words.join(", ")).toned(Tone::Doubtful)
    }
}
