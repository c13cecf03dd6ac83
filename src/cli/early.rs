//! What must be known of a line that could not be understood: how its error is to be written.

use std::ffi::OsString;

use clap::ValueEnum;

use super::{LogFormat, When};

/// The two options that hold for usage errors as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Early {
    pub(crate) log_format: LogFormat,
    pub(crate) color: When,
}

impl Early {
    /// Looks for the options wherever they stand, then in the environment; a wrong value counts as none, because the error
    /// about it is what is to be written.
    pub(crate) fn of(args: &[OsString]) -> Self {
        Self {
            log_format: option(args, "--log-format", read("DCS_HISTORY_LOG_FORMAT"))
                .unwrap_or(LogFormat::Text),
            color: option(args, "--color", read("DCS_HISTORY_COLOR")).unwrap_or(When::Auto),
        }
    }
}

fn option<T: ValueEnum>(args: &[OsString], name: &str, variable: Option<String>) -> Option<T> {
    let value = |text: &str| T::from_str(text, false).ok();
    let before_operands = args.iter().take_while(|arg| *arg != "--");
    let words: Vec<_> = before_operands
        .map(|arg| arg.to_str().unwrap_or(""))
        .collect();
    let typed = words.iter().enumerate().rev().find_map(|(at, word)| {
        let rest = word.strip_prefix(name)?;
        match rest.strip_prefix('=') {
            Some(text) => value(text),
            None if rest.is_empty() => value(words.get(at + 1)?),
            None => None,
        }
    });
    typed.or_else(|| value(&variable?))
}

#[expect(
    clippy::disallowed_methods,
    reason = "both are declared as clap `env` arguments; here the line could not be parsed"
)]
fn read(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_of_errors_is_found_in_a_line_that_is_wrong() {
        let cases = [
            (
                "list --nonsense --log-format json",
                None,
                Some(LogFormat::Json),
            ),
            ("--log-format=json nonsense", None, Some(LogFormat::Json)),
            (
                "list --log-format json --log-format=text",
                None,
                Some(LogFormat::Text),
            ),
            ("list --log-format", None, None),
            ("list --log-format xml", Some("json"), Some(LogFormat::Json)),
            ("list --log-formats json", None, None),
            ("list -- --log-format json", None, None),
            ("list", Some("json"), Some(LogFormat::Json)),
            ("list", Some("nonsense"), None),
            ("list", None, None),
        ];
        for (line, variable, expected) in cases {
            let args: Vec<_> = line.split(' ').map(OsString::from).collect();
            let found = option(&args, "--log-format", variable.map(str::to_owned));
            assert_eq!(found, expected, "{line} {variable:?}");
        }
    }
}
