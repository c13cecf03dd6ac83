//! Which instances are read: `--instance`, or all but for `--exclude`, `--tag`, `--name`.

use clap::Args;
use glob::Pattern;

use crate::cli::error::CliError;
use crate::store::write::Archive;
use crate::sync::selection::{Choice, Selection, meant};

/// Candidates that an error names: enough to recognise one's own.
const NAMED: usize = 5;

#[derive(Clone, Debug, Args)]
pub(crate) struct WhichArgs {
    /// The instance to read: its id, its name, or the beginning of its id [default: all of the project]
    ///
    /// May be repeated. Without it the list of the project's instances is read first, and every instance on it; the
    /// archive then also knows that there is no other.
    #[arg(
        long,
        value_name = "ID|NAME",
        env = "DCS_HISTORY_INSTANCE",
        hide_env_values = true,
        value_delimiter = ',',
        conflicts_with_all = ["exclude", "tag", "name"]
    )]
    instance: Vec<String>,
    /// Read all instances but this one: its id, its name, or the beginning of its id. May be repeated.
    #[arg(
        long,
        value_name = "ID|NAME",
        env = "DCS_HISTORY_EXCLUDE",
        hide_env_values = true,
        value_delimiter = ','
    )]
    exclude: Vec<String>,
    /// Read only instances with this tag. May be repeated: then all of them must be there.
    #[arg(
        long,
        value_name = "KEY=VALUE",
        value_parser = tag,
        env = "DCS_HISTORY_TAG",
        hide_env_values = true,
        value_delimiter = ','
    )]
    tag: Vec<(String, String)>,
    /// Read only instances whose name fits this pattern, in which `*` is any text and `?` any letter.
    ///
    /// May be repeated: then one of them must fit.
    #[arg(
        long,
        value_name = "GLOB",
        value_parser = Pattern::new,
        env = "DCS_HISTORY_NAME",
        hide_env_values = true,
        value_delimiter = ','
    )]
    name: Vec<Pattern>,
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a tag is KEY=VALUE, such as env=prod".to_owned()),
    }
}

impl WhichArgs {
    /// Returns what was typed, as it was typed.
    pub(crate) fn typed(&self) -> Selection {
        if self.instance.is_empty() {
            return Selection::Discovered(Choice {
                exclude: self.exclude.clone(),
                tags: self.tag.clone(),
                names: self.name.clone(),
            });
        }
        let typed = self.instance.iter().map(|typed| typed.trim().to_owned());
        Selection::Named(typed.collect())
    }

    /// Turns what was typed for an instance into ids where the archive knows what is meant; the rest is for the cloud to
    /// tell.
    pub(crate) fn selection(
        &self,
        project_id: &str,
        archive: &Archive,
    ) -> Result<Selection, CliError> {
        let Selection::Named(named) = self.typed() else {
            return Ok(self.typed());
        };
        let known = archive.instances_of(project_id)?;
        let mut ids = Vec::new();
        for typed in named {
            if typed.is_empty() {
                return Err(CliError::usage("--instance is empty")
                    .hint("give an instance's id or name, or leave the option out to read all"));
            }
            let id = match meant(&typed, &known).as_slice() {
                [] => typed.clone(),
                [id] => (*id).to_owned(),
                several => {
                    let listed = several[..several.len().min(NAMED)].join(", ");
                    let message = format!("--instance {typed} may mean several instances");
                    return Err(CliError::usage(message)
                        .hint(format!("type more of one of them: {listed}")));
                }
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(Selection::Named(ids))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_key_and_a_value() {
        let cases = [
            ("env=prod", Some(("env", "prod"))),
            ("env=", Some(("env", ""))),
            ("a=b=c", Some(("a", "b=c"))),
            ("env", None),
            ("=prod", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
            assert_eq!(tag(text).ok(), expected, "{text:?}");
        }
    }
}
