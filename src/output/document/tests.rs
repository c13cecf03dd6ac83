//! The documents of [`super::sample`] in every format.

use std::path::Path;

use super::{Document, html, json, markdown, sample};

fn html_of(document: &Document) -> String {
    let mut out = Vec::new();
    html::write(&mut out, document).expect("memory takes everything");
    String::from_utf8(out).expect("a document is text")
}

/// What `tests/report/check.py` shows to a browser.
#[test]
fn documents_are_written_for_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/documents");
    std::fs::create_dir_all(&folder).expect("the folder of built things can be written to");
    let documents = [
        ("empty", sample::empty()),
        ("large", sample::large()),
        ("whole", sample::whole()),
    ];
    for (name, document) in documents {
        let html = html_of(&document);
        assert!(html.len() < 8_000_000, "{name}: {} bytes", html.len());
        std::fs::write(folder.join(format!("{name}.html")), html).expect("a file can be written");
    }
}
