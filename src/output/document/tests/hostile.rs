//! Whatever stands in the fields of a document, it is shown as text in every format, and is nothing but text.

use proptest::prelude::*;

use super::sample::{HOSTILE, heading, section, table};
use super::well_formed::Page;
use super::written;
use crate::output::document::{
    Answer, Block, Chart, Document, Drawing, Level, Point, Series, Shown, Stacks, Timeline, Tone,
    html, json, markdown,
};
use crate::output::text::safe;

/// How many texts a document here is made of.
const FIELDS: usize = 17;

fn texts() -> impl Strategy<Value = Vec<String>> {
    let marks = proptest::sample::select(vec![
        "<", ">", "&", "\"", "'", "`", "|", "\\", "#", "- ", "1. ", "\n", "\r", "\u{1b}",
        "\u{202e}", "]]>", "<!--", "--", "</style>", "{{", "{%", "&#", ";", "://", "@", "www.",
        "*", "_", "[x](y)", "~~", "$", "\u{0}", "\u{fffe}",
    ]);
    let part = prop_oneof![
        2 => marks.prop_map(str::to_owned),
        1 => proptest::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        2 => proptest::collection::vec(any::<char>(), 0..6).prop_map(|characters| characters.into_iter().collect()),
        1 => "[a-z ]{0,12}",
    ];
    let text = proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat());
    proptest::collection::vec(text, FIELDS)
}

/// A document with each text in a place of its own; those of the chart come last, where they may be cut.
fn document(texts: &[String]) -> Document {
    let text = |at: usize| texts[at].clone();
    let mut rows = table(
        "rows",
        vec![
            heading("One", "code"),
            heading("Two", ""),
            heading("Three", "number"),
        ],
        &["one", "two", "three"],
        vec![vec![
            Shown {
                more: vec![text(9), text(10)],
                ..Shown::new(text(0))
            },
            Shown::new(text(1)).toned(Tone::Bad).linked("part"),
            Shown::new(text(2)),
        ]],
    );
    rows.total = 9;
    rows.caption = text(3);
    rows.rest = text(4);
    let mut none = rows.clone();
    none.rows.clear();
    none.data.clear();
    none.nothing = text(5);
    let answer = Answer {
        question: text(6),
        answer: text(7),
        tone: Tone::Unknown,
        details: vec![text(8)],
    };
    let point = Point {
        text: text(9),
        tone: Tone::Bad,
        link: Some("part".to_owned()),
    };
    let field = (text(10), Shown::new(text(11)));
    let stacks = Stacks {
        labels: vec![text(15), text(16)],
        series: vec![Series {
            name: "succeeded",
            tone: Tone::Good,
            values: vec![1, 2],
        }],
    };
    let lane = Timeline {
        ticks: vec![(0, text(15))],
        bands: Vec::new(),
        marks: Vec::new(),
    };
    let chart = |drawing| Chart {
        title: text(12),
        drawing,
    };
    Document {
        title: text(13),
        subtitle: text(14),
        facts: Vec::new(),
        sections: vec![
            section(
                "front",
                &text(0),
                Level::Front,
                vec![
                    Block::Answers(vec![answer]),
                    Block::Points(vec![point]),
                    Block::Fields(vec![field]),
                ],
            ),
            section(
                "chapter",
                &text(1),
                Level::Chapter,
                vec![Block::Text(text(2)), Block::Table(none)],
            ),
            section(
                "part",
                &text(3),
                Level::Part,
                vec![
                    Block::Figure(chart(Drawing::Columns(stacks.clone())), rows),
                    Block::Chart(chart(Drawing::Bars(stacks))),
                    Block::Chart(chart(Drawing::Timeline(lane))),
                ],
            ),
        ],
        colophon: text(14),
    }
}

/// What makes the structure of Markdown: for each line, how it begins and how many cells it has.
fn skeleton(markdown: &str) -> Vec<(String, usize)> {
    markdown
        .lines()
        .map(|line| {
            let bars = line
                .replace("\\\\", "")
                .replace("\\|", "")
                .matches('|')
                .count();
            let begin = line
                .chars()
                .take_while(|character| "#-|*> \t+=".contains(*character));
            // A cell may begin as it likes.
            let begin = match line.strip_prefix('|') {
                Some(_) => "|".to_owned(),
                None => begin.collect::<String>().trim_end().to_owned(),
            };
            (begin, bars)
        })
        .collect()
}

/// Every text is shown by HTML, and none of them is obeyed.
fn in_html(texts: &[String]) {
    let page = Page::read(&written(html::write, &document(texts)));
    for text in &texts[..15] {
        let shown = safe(text.trim());
        assert!(
            page.text.contains(&*shown),
            "{text:?} is not in {}",
            page.text
        );
    }
}

/// Every text comes back from JSON.
fn in_json(texts: &[String]) {
    let json = written(json::write, &document(texts));
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let row = &json["rows"]["rows"][0];
    let told = [
        (&row["one"], 0),
        (&row["three"], 2),
        (&json["answers"][0]["details"][0], 8),
        (&json["attention"][0]["text"], 9),
    ];
    for (value, at) in told {
        assert_eq!(value.as_str(), Some(texts[at].as_str()));
    }
}

/// No text changes the lines and the cells of Markdown.
fn in_markdown(texts: &[String]) {
    let plain = vec!["x".to_owned(); texts.len()];
    let expected = skeleton(&written(markdown::write, &document(&plain)));
    let markdown = written(markdown::write, &document(texts));
    assert!(
        !markdown.replace("<br>", "").contains(['<', '@']),
        "{markdown}"
    );
    assert_eq!(skeleton(&markdown), expected, "{markdown}");
}

/// Fills every field of a document with a text, and looks at all of its formats.
pub(crate) fn holds(mut text: impl FnMut() -> String) {
    let texts: Vec<_> = (0..FIELDS).map(|_| filled(text())).collect();
    in_html(&texts);
    in_json(&texts);
    in_markdown(&texts);
}

/// A caption that is empty is none; so that every place is filled, no text is.
fn filled(text: String) -> String {
    if text.trim().is_empty() {
        format!("{text}x")
    } else {
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_is_shown_and_none_is_obeyed(texts in texts()) {
        let mut texts = texts.into_iter();
        holds(|| texts.next().unwrap_or_default());
    }
}
