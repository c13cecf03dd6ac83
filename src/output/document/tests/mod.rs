//! The documents of [`sample`] and [`whole`] in every format.

pub(crate) mod hostile;
mod sample;
mod well_formed;
mod whole;

use std::collections::BTreeSet;
use std::path::Path;

use self::well_formed::Page;
use super::{Block, Document, Level, html, json, markdown};
use crate::output::text::safe;

fn written(
    write: fn(&mut dyn std::io::Write, &Document) -> std::io::Result<()>,
    document: &Document,
) -> String {
    let mut out = Vec::new();
    write(&mut out, document).expect("memory takes everything");
    String::from_utf8(out).expect("a document is text")
}

/// The HTML without the style sheet, which is not what a snapshot is read for, and without its digest.
fn bare_html(document: &Document) -> String {
    let html = written(html::write, document);
    let (before, rest) = html.split_once("<style>").expect("there is a style sheet");
    let (_, after) = rest.split_once("</style>").expect("the style sheet ends");
    let (policy, rest) = before
        .split_once("sha256-")
        .expect("there is a policy that names the digest");
    let (_, rest) = rest.split_once('\'').expect("the digest ends");
    format!("{policy}…'{rest}<style>…</style>{after}")
}

#[test]
fn a_small_document_is_written_in_every_format() {
    let document = sample::small();
    insta::assert_snapshot!("small_html", bare_html(&document));
    insta::assert_snapshot!("small_markdown", written(markdown::write, &document));
    insta::assert_snapshot!("small_json", written(json::write, &document));
}

#[test]
fn a_document_without_anything_is_written_in_every_format() {
    let document = sample::empty();
    let html = bare_html(&document);
    let (_, body) = html.split_once("<header").expect("there is a header");
    insta::assert_snapshot!("empty_html", body);
    insta::assert_snapshot!("empty_markdown", written(markdown::write, &document));
    insta::assert_snapshot!(written(json::write, &document), @r#"
    {
    "answers": [],
    "attention": [],
    "changes": {"total": 0, "rows": []}
    }
    "#);
}

#[test]
fn a_section_that_every_link_leads_to_is_there_and_every_text_is_shown() {
    for document in [
        sample::empty(),
        sample::small(),
        whole::whole(),
        whole::large(),
    ] {
        let page = Page::read(&written(html::write, &document));
        let ids: BTreeSet<_> = document
            .sections
            .iter()
            .map(|section| section.id.clone())
            .collect();
        assert!(ids.is_subset(&page.ids));
        let chapters = document.sections.iter();
        let chapters = chapters.filter(|section| section.level == Level::Chapter);
        for chapter in chapters {
            assert!(
                page.links.contains(&chapter.id),
                "the contents lack {}",
                chapter.id
            );
        }
    }
    let page = Page::read(&written(html::write, &whole::whole()));
    for text in sample::HOSTILE {
        assert!(page.text.contains(&*safe(text)), "{text:?} is not shown");
    }
}

#[test]
fn the_file_forbids_itself_everything_but_its_own_style_sheet() {
    let html = written(html::write, &sample::empty());
    let (_, rest) = html.split_once("<style>").expect("there is a style sheet");
    let (style, _) = rest.split_once("</style>").expect("the style sheet ends");
    assert!(!style.contains('<'), "it would end the element");
    for address in style.split("url(").skip(1) {
        assert!(address.starts_with("#page_"), "{address:.40}");
    }
    assert!(!style.contains("@import") && !style.contains("@font-face"));
    let (_, policy) = html
        .split_once("http-equiv=\"Content-Security-Policy\" content=\"")
        .expect("there is a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
}

#[test]
fn tables_of_one_name_are_one_for_programs() {
    let json = written(json::write, &whole::large());
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(json["changes"]["total"], 8_000);
    let rows = json["changes"]["rows"]
        .as_array()
        .expect("rows are an array");
    assert_eq!(rows.len(), 5_000);
    assert_eq!(rows[1]["status"], "FAILED");
    assert_eq!(json["attention"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["answers"][3]["tone"], "unknown");
}

#[test]
fn a_timeline_of_a_hundred_thousand_tasks_takes_three_kilobytes_at_most() {
    let mut document = whole::large();
    document.sections.truncate(5);
    for section in &mut document.sections {
        for block in &mut section.blocks {
            if let Block::Chart(chart) = block {
                chart.drawing = super::Drawing::Timeline(whole::lane(7, 100_000));
            }
        }
    }
    let html = written(html::write, &document);
    let (_, lane) = html
        .split_once("<svg class=\"chart lane\"")
        .expect("there is a timeline");
    let (lane, _) = lane.split_once("<ul").expect("a legend follows");
    assert!(lane.len() < 3_000, "{} bytes", lane.len());
}

/// What `tests/report/check.py` shows to a browser.
#[test]
fn documents_are_written_for_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/documents");
    std::fs::create_dir_all(&folder).expect("the folder of built things can be written to");
    let documents = [
        ("empty", sample::empty()),
        ("large", whole::large()),
        ("whole", whole::whole()),
    ];
    for (name, document) in documents {
        let html = written(html::write, &document);
        assert!(html.len() < 8_000_000, "{name}: {} bytes", html.len());
        std::fs::write(folder.join(format!("{name}.html")), html).expect("a file can be written");
    }
}
