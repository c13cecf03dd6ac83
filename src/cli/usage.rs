//! What clap says about a line that it does not understand, in the words and forms of every other error.

use clap::error::{ContextValue, ErrorKind};

use super::error::CliError;
use crate::output::text::safe;

/// Turns a usage error into the one error of the door, so that it follows `--log-format` and escapes what was typed.
pub(crate) fn error(mut error: clap::Error) -> CliError {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return CliError::usage("no command was typed").hint("`dcs-history --help` lists them");
    }
    // What was typed is quoted in paragraphs of clap's making; it shall not make paragraphs of its own.
    let context: Vec<_> = error
        .context()
        .map(|(kind, value)| (kind, value.clone()))
        .collect();
    for (kind, value) in context {
        error.insert(kind, harmless(value));
    }
    let text = error.render().to_string();
    let mut paragraphs = text
        .split("\n\n")
        .map(one_line)
        .filter(|text| !text.is_empty());
    let message = paragraphs.next().unwrap_or_default();
    let told = CliError::usage(message.strip_prefix("error: ").unwrap_or(&message));
    paragraphs.fold(told, |told, paragraph| {
        told.hint(if let Some(usage) = paragraph.strip_prefix("Usage: ") {
            format!("usage: {usage}")
        } else if paragraph.starts_with("For more information") {
            "--help says more".to_owned()
        } else {
            paragraph
                .strip_prefix("tip: ")
                .unwrap_or(&paragraph)
                .to_owned()
        })
    })
}

fn harmless(value: ContextValue) -> ContextValue {
    let escape = |text: &String| safe(text).into_owned();
    match value {
        ContextValue::String(text) => ContextValue::String(escape(&text)),
        ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(escape).collect()),
        other => other,
    }
}

/// Joins the lines of a paragraph; what is listed under a colon is separated by commas.
fn one_line(paragraph: &str) -> String {
    let mut lines = paragraph
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let rest: Vec<_> = lines.collect();
    if rest.is_empty() {
        return first.to_owned();
    }
    let separator = if first.ends_with(':') { ", " } else { " " };
    format!("{first} {}", rest.join(separator))
}
