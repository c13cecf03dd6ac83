//! Made-up documents that the tests of all formats share: nothing, and one of everything.

use crate::output::Cell;
use crate::output::document::{
    Answer, Band, Block, Chart, Document, Drawing, Heading, Level, Mark, Point, Section, Series,
    Shown, Stacks, Table, Timeline, Tone, WHOLE,
};
use crate::output::json::Value;

/// What somebody would name an instance who means no good.
pub(super) const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style></title><h1>gone</h1>",
    "&lt;not escaped twice&gt; &amp;",
    "\u{1b}[31mred\u{1b}[0m\r\nnew line",
    "user\u{202e}nimda \u{2066}x\u{2069}",
    "[click](javascript:alert(1)) | `code` **bold**",
];

pub(super) fn heading(title: &'static str, kind: &str) -> Heading {
    Heading {
        title,
        is_number: kind == "number",
        is_code: kind == "code",
    }
}

/// A table of texts; programs get the same ones.
pub(super) fn table(
    name: &'static str,
    headings: Vec<Heading>,
    columns: &'static [&'static str],
    rows: Vec<Vec<Shown>>,
) -> Table {
    let data = rows.iter().map(|row| {
        let cells = row
            .iter()
            .map(|shown| Value::Cell(Cell::text(shown.text.clone())));
        cells.collect()
    });
    Table {
        name,
        caption: String::new(),
        headings,
        columns,
        data: data.collect(),
        total: rows.len() as u64,
        rest: String::new(),
        nothing: "There is none.".to_owned(),
        rows,
    }
}

pub(super) fn section(id: &str, title: &str, level: Level, blocks: Vec<Block>) -> Section {
    Section {
        id: id.to_owned(),
        title: title.to_owned(),
        level,
        blocks,
    }
}

pub(super) fn document(title: &str, sections: Vec<Section>) -> Document {
    Document {
        title: title.to_owned(),
        subtitle: "Project 0d0466b0, 2 of 4 instances · 2026-10-01 to 2026-11-01, UTC".to_owned(),
        facts: vec![
            ("format", Value::Cell(Cell::Integer(1))),
            (
                "period",
                Value::row(
                    &["since", "until"],
                    vec![
                        Cell::text("2026-10-01T00:00:00.000Z"),
                        Cell::text("2026-11-01T00:00:00.000Z"),
                    ],
                ),
            ),
        ],
        sections,
        colophon: "Made by dcs-history 0.1.0 from an archive whose chain ends in 4f1c2a77."
            .to_owned(),
    }
}

/// Nothing happened, nothing is known.
pub(super) fn empty() -> Document {
    let headings = vec![heading("Time", "code"), heading("Task", "")];
    let mut changes = table("changes", headings, &["created_at", "name"], Vec::new());
    "There was no change in the period.".clone_into(&mut changes.nothing);
    let nothing = Stacks {
        labels: Vec::new(),
        series: Vec::new(),
    };
    let chart = Chart {
        title: "Tasks by day".to_owned(),
        drawing: Drawing::Columns(nothing),
    };
    let mut document = document(
        "Nothing at all",
        vec![
            section("answers", "In short", Level::Front, Vec::new()),
            section(
                "changes",
                "Changes",
                Level::Chapter,
                vec![Block::Chart(chart), Block::Table(changes)],
            ),
        ],
    );
    document.facts.clear();
    document
}

/// One of everything, small enough to be read.
pub(super) fn small() -> Document {
    let mut changes = table(
        "changes",
        vec![
            heading("Time", "code"),
            heading("Operation", ""),
            heading("Tasks", "number"),
        ],
        &["created_at", "name", "tasks"],
        vec![
            vec![
                Shown::new("2026-10-04 11:02"),
                Shown::new("resized").linked("cache-1"),
                Shown::new("12"),
            ],
            vec![
                Shown::new("2026-10-05 09:30"),
                Shown::new("failed").toned(Tone::Bad).linked("nowhere"),
                Shown::new("1"),
            ],
        ],
    );
    changes.total = 5;
    "The rest: `changes`.".clone_into(&mut changes.rest);
    "Changes".clone_into(&mut changes.caption);
    let days = table(
        "days",
        vec![heading("Day", "code"), heading("Tasks", "number")],
        &["day", "tasks"],
        vec![vec![Shown::new("2026-10-04"), Shown::new("12")]],
    );
    document(
        "Changes <of> October",
        vec![
            section(
                "answers",
                "In short",
                Level::Front,
                vec![
                    Block::Answers(vec![Answer {
                        question: "Did it succeed?".to_owned(),
                        answer: "12 of 13 did.".to_owned(),
                        tone: Tone::Bad,
                        details: vec!["# One failed.".to_owned()],
                    }]),
                    Block::Points(vec![Point {
                        text: "A gap of 4 days & more".to_owned(),
                        tone: Tone::Unknown,
                        link: Some("cache-1".to_owned()),
                    }]),
                    Block::Fields(vec![("Tasks".to_owned(), Shown::new("13"))]),
                ],
            ),
            section(
                "changes",
                "All changes",
                Level::Chapter,
                vec![
                    Block::Text("- Times are UTC.".to_owned()),
                    Block::Figure(
                        Chart {
                            title: "Tasks by day".to_owned(),
                            drawing: Drawing::Columns(outcome()),
                        },
                        days,
                    ),
                    Block::Chart(Chart {
                        title: "Outcome".to_owned(),
                        drawing: Drawing::Bars(outcome()),
                    }),
                    Block::Table(changes.clone()),
                ],
            ),
            section(
                "cache-1",
                "cache|1",
                Level::Part,
                vec![
                    Block::Chart(Chart {
                        title: "cache|1".to_owned(),
                        drawing: Drawing::Timeline(lane()),
                    }),
                    Block::Table(changes),
                ],
            ),
        ],
    )
}

fn outcome() -> Stacks {
    Stacks {
        labels: vec!["2026-10-04".to_owned(), "2026-10-05".to_owned()],
        series: vec![
            Series {
                name: "succeeded",
                tone: Tone::Good,
                values: vec![12, 0],
            },
            Series {
                name: "failed",
                tone: Tone::Bad,
                values: vec![0, 1],
            },
        ],
    }
}

fn lane() -> Timeline {
    Timeline {
        ticks: vec![(0, "1 Oct".to_owned()), (WHOLE / 2, "16 Oct".to_owned())],
        bands: vec![
            Band {
                from: 0,
                to: 750_000,
                tone: Tone::Good,
                word: "vouched",
            },
            Band {
                from: 750_000,
                to: WHOLE,
                tone: Tone::Unknown,
                word: "gap",
            },
        ],
        marks: vec![
            Mark {
                at: 100_000,
                tone: Tone::Good,
                word: "succeeded",
            },
            Mark {
                at: 150_000,
                tone: Tone::Bad,
                word: "failed",
            },
        ],
    }
}
