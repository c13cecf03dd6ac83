//! What clap says about a line that it does not understand, in the words and forms of every other error.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::CliError;
use crate::output::text::safe;

/// Turns a usage error into the one error of the door, so that it follows `--log-format` and escapes what was typed.
pub(crate) fn error(mut error: clap::Error) -> CliError {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return CliError::usage("no command was typed").hint("`dcs-history --help` lists them");
    }
    let is_secret = looks_like_a_secret(&error);
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
    let mut told = CliError::usage(message.strip_prefix("error: ").unwrap_or(&message));
    if is_secret {
        told = told.hint("a secret is never an argument, because arguments show in process lists: see --token-file, --token-command, the variables and the file of settings in the README");
    }
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

/// Says whether an option was typed that would take a secret if there were one.
fn looks_like_a_secret(error: &clap::Error) -> bool {
    const NAMES: [&str; 9] = [
        "--access-key",
        "--ak",
        "--password",
        "--secret",
        "--secret-key",
        "--security-token",
        "--sk",
        "--token",
        "--user-password",
    ];
    let typed = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(typed)) if error.kind() == ErrorKind::UnknownArgument => typed,
        _ => return false,
    };
    let name = typed.split('=').next().unwrap_or_default();
    NAMES.contains(&name)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    #[test]
    fn an_option_for_a_secret_is_answered_with_where_secrets_belong_and_not_with_the_secret() {
        for (line, is_told) in [
            ("sync --token hunter2", true),
            ("sync --password=hunter2", true),
            ("sync --sk hunter2", true),
            ("list --token hunter2", true),
            ("sync --tokens", false),
            ("sync --nonsense", false),
        ] {
            let words = std::iter::once("dcs-history").chain(line.split(' '));
            let told = error(command().try_get_matches_from(words).unwrap_err());
            let said = told
                .hints
                .iter()
                .any(|hint| hint.contains("never an argument"));
            assert_eq!(said, is_told, "{line}: {told:?}");
            assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
        }
    }
}
