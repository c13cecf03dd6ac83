//! A strict little reader of the HTML that we write, which shares nothing with the writer.
//!
//! It knows the elements and attributes that a report is made of, and panics at anything else: an element that does not end, an
//! attribute without quotes, a raw `&`, `<` or `>`. So text that became markup cannot pass for ours.

use std::collections::BTreeSet;

const ELEMENTS: [&str; 46] = [
    "a",
    "body",
    "br",
    "caption",
    "dd",
    "defs",
    "desc",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "li",
    "line",
    "link",
    "main",
    "meta",
    "nav",
    "ol",
    "p",
    "path",
    "pattern",
    "rect",
    "section",
    "span",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "title",
    "tr",
    "tspan",
    "ul",
];
const ATTRIBUTES: [&str; 26] = [
    "aria-hidden",
    "aria-labelledby",
    "charset",
    "class",
    "content",
    "d",
    "height",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "patternUnits",
    "preserveAspectRatio",
    "rel",
    "role",
    "scope",
    "text-anchor",
    "viewBox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
];
const WITHOUT_END: [&str; 3] = ["br", "link", "meta"];

/// What a reader gets of a page.
pub(super) struct Page {
    /// The text of everything, as it is shown.
    pub(super) text: String,
    pub(super) ids: BTreeSet<String>,
    /// The sections that links lead to.
    pub(super) links: BTreeSet<String>,
}

impl Page {
    /// Reads a page.
    ///
    /// # Panics
    ///
    /// If it is not well formed, an id is there twice, or a link leads out of the page or nowhere.
    pub(super) fn read(html: &str) -> Self {
        let mut page = Self {
            text: String::new(),
            ids: BTreeSet::new(),
            links: BTreeSet::new(),
        };
        let mut rest = html
            .strip_prefix("<!DOCTYPE html>")
            .expect("it says what it is");
        let mut open: Vec<&str> = Vec::new();
        while let Some(at) = rest.find('<') {
            let (text, tag) = rest.split_at(at);
            page.text += &unescaped(text);
            let end = tag.find('>').expect("the tag ends");
            let (tag, after) = (&tag[1..end], &tag[end + 1..]);
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "near {after:.80}");
                continue;
            }
            let (tag, is_closed) = match tag.strip_suffix('/') {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            let name = page.element(tag);
            if name == "style" {
                rest = &rest[rest.find("</style>").expect("the style sheet ends")..];
            }
            if !is_closed && !WITHOUT_END.contains(&name) {
                open.push(name);
            }
        }
        assert_eq!(rest.trim(), "", "nothing comes after the end");
        assert!(open.is_empty(), "{open:?} do not end");
        for link in &page.links {
            assert!(page.ids.contains(link), "{link:?} leads nowhere");
        }
        page
    }

    /// Reads the inside of a tag, and returns the name of the element.
    fn element<'a>(&mut self, tag: &'a str) -> &'a str {
        let (name, mut rest) = tag.split_at(tag.find(' ').unwrap_or(tag.len()));
        assert!(ELEMENTS.contains(&name), "no element of ours: {tag:.80}");
        while !rest.is_empty() {
            let attribute = rest.strip_prefix(' ').expect("attributes are apart");
            let (key, value) = attribute.split_once("=\"").expect("it has a value");
            let (value, after) = value.split_once('"').expect("the value ends");
            assert!(ATTRIBUTES.contains(&key), "no attribute of ours: {tag:.80}");
            self.attribute(name, key, &unescaped(value));
            rest = after;
        }
        name
    }

    fn attribute(&mut self, element: &str, key: &str, value: &str) {
        match key {
            "id" => assert!(
                self.ids.insert(value.to_owned()),
                "{value:?} is there twice"
            ),
            "aria-labelledby" => {
                self.links.insert(value.to_owned());
            }
            "href" if element == "link" => assert_eq!(value, "data:,"),
            "href" => {
                let link = value.strip_prefix('#').expect("links stay in the page");
                self.links.insert(link.to_owned());
            }
            _ => {}
        }
    }
}

/// Undoes escaping, and knows only what a report needs.
///
/// # Panics
///
/// If a character is there that should have been escaped.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or_default());
    assert!(!text.contains(['<', '>', '"']), "{text:.80}");
    for part in parts {
        let (entity, after) = part.split_once(';').expect("an `&` begins an entity");
        let code = entity.strip_prefix('#').and_then(|code| code.parse().ok());
        out.push(code.and_then(char::from_u32).expect("entities are numbers"));
        out.push_str(after);
    }
    out
}
