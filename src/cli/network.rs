//! The options of every command that calls the cloud: how long, how often, how much.

use std::{path::PathBuf, time::Duration};

use clap::{Args, builder::BoolishValueParser};

use crate::api::client::Settings;
use crate::api::cloud::iam_origin;
use crate::api::deadline::Deadline;
use crate::api::endpoint::{Endpoint, EndpointError};

use super::{duration, error::CliError};

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Give up on a connection that is not made in this time.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "5s",
        value_parser = duration::positive,
        env = "DCS_HISTORY_CONNECT_TIMEOUT",
        hide_env_values = true
    )]
    connect_timeout: Duration,
    /// Give up on a request that is not answered in full in this time.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "60s",
        value_parser = duration::positive,
        env = "DCS_HISTORY_TIMEOUT",
        hide_env_values = true
    )]
    timeout: Duration,
    /// End the whole run after this time; what was read is kept.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "1h",
        value_parser = duration::positive,
        env = "DCS_HISTORY_RUN_TIMEOUT",
        hide_env_values = true
    )]
    run_timeout: Duration,
    /// How often to ask again after the first attempt of a request failed.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        env = "DCS_HISTORY_RETRIES",
        hide_env_values = true
    )]
    retries: u32,
    /// Requests under way at once, at most; fewer while the server says that it is too much.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(1..=64),
        env = "DCS_HISTORY_CONCURRENCY",
        hide_env_values = true
    )]
    concurrency: u32,
    /// Wait up to this long before the first retry; each later one doubles it, up to 20s.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "500ms",
        value_parser = duration::parse,
        env = "DCS_HISTORY_RETRY_BASE",
        hide_env_values = true
    )]
    retry_base: Duration,
    /// Refuse an answer that is larger than this; in bytes, or with KiB, MiB or GiB.
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "64MiB",
        value_parser = size,
        env = "DCS_HISTORY_MAX_BODY",
        hide_env_values = true
    )]
    max_body: u64,
    /// Trust the certificates in this PEM file besides those of the machine.
    #[arg(
        long,
        value_name = "PATH",
        env = "DCS_HISTORY_CA_FILE",
        hide_env_values = true
    )]
    ca_file: Option<PathBuf>,
    /// Send the token over plain http to hosts other than this machine, where everybody on the way can read it.
    #[arg(
        long,
        value_parser = BoolishValueParser::new(),
        env = "DCS_HISTORY_INSECURE_HTTP",
        hide_env_values = true
    )]
    insecure_http: bool,
}

impl NetworkArgs {
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
            retries: self.retries,
            retry_base: self.retry_base,
            concurrency: self.concurrency,
            max_body: self.max_body,
            ca_file: self.ca_file.clone(),
        }
    }

    pub(crate) const fn concurrency(&self) -> u32 {
        self.concurrency
    }

    /// Starts the run's time.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.run_timeout)
    }

    /// Reads the address of the cloud; `source` names the option, variable or file that gave it.
    pub(crate) fn endpoint(&self, text: &str, source: &str) -> Result<Endpoint, CliError> {
        self.origin(text, "endpoint", source)
    }

    /// Reads the address of IAM, with or without the version at its end.
    pub(crate) fn iam(&self, text: &str, source: &str) -> Result<Endpoint, CliError> {
        self.origin(iam_origin(text), "address of IAM", source)
    }

    fn origin(&self, text: &str, what: &str, source: &str) -> Result<Endpoint, CliError> {
        Endpoint::parse(text, self.insecure_http).map_err(|error| {
            let refused = CliError::usage(format!("the {what} from {source} cannot be used"));
            let refused = refused.because(&error);
            match error {
                EndpointError::PlainHttp { .. } => refused.hint(
                    "use https://, or --insecure-http if the network on the way is yours alone",
                ),
                _ => refused,
            }
        })
    }
}

/// Reads a number of bytes: plain, or in one of the binary units.
fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u32); 4] = [("", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .filter(|_| !number.is_empty())
        .map(|(_, shift)| *shift)
        .ok_or("a size is a whole number of bytes, or one with KiB, MiB or GiB")?;
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "the size is zero or too large".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser};

    use super::*;
    use crate::cli::error::Exit;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        network: NetworkArgs,
    }

    fn typed(words: &[&str]) -> Result<NetworkArgs, clap::Error> {
        let words = ["dcs-history"].iter().chain(words);
        Line::try_parse_from(words).map(|line| line.network)
    }

    #[test]
    fn the_defaults_are_the_contracts() {
        let network = typed(&[]).unwrap();
        assert_eq!(network.settings(), Settings::default());
        assert_eq!(network.run_timeout, Duration::from_hours(1));
        assert!(!network.insecure_http);
    }

    #[test]
    fn every_option_reaches_the_settings() {
        let words = "--connect-timeout 1s --timeout 2m --retries 0 --retry-base 0ms --max-body 1GiB \
                     --ca-file ca.pem --run-timeout 2h --insecure-http";
        let network = typed(&words.split_whitespace().collect::<Vec<_>>()).unwrap();
        let expected = Settings {
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_mins(2),
            retries: 0,
            concurrency: 8,
            retry_base: Duration::ZERO,
            max_body: 1 << 30,
            ca_file: Some(PathBuf::from("ca.pem")),
        };
        assert_eq!(network.settings(), expected);
        assert_eq!(network.run_timeout, Duration::from_hours(2));
        assert!(network.insecure_http);
    }

    #[test]
    fn limits_of_nothing_are_refused() {
        for words in [
            ["--timeout", "0s"],
            ["--connect-timeout", "0ms"],
            ["--run-timeout", "0h"],
            ["--max-body", "0"],
            ["--retries", "-1"],
            ["--retries", "many"],
        ] {
            assert!(typed(&words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn sizes_are_bytes_or_binary_units() {
        let cases = [
            ("1", Some(1)),
            ("65536", Some(65_536)),
            ("64MiB", Some(67_108_864)),
            ("1GiB", Some(1_073_741_824)),
            ("2KiB", Some(2_048)),
            ("", None),
            ("0", None),
            ("0MiB", None),
            ("MiB", None),
            ("64MB", None),
            ("64 MiB", None),
            ("64mib", None),
            ("-1", None),
            ("1.5GiB", None),
            ("18446744073709551616", None),
            ("18446744073709551615GiB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(size(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn an_endpoint_that_is_refused_says_where_it_came_from_and_not_what_it_holds() {
        let network = typed(&[]).unwrap();
        let cases = [
            ("http://dcs.example.com", 1),
            ("https://user:hunter2@dcs.example.com", 0),
        ];
        for (text, hints) in cases {
            let error = network.endpoint(text, "--endpoint").unwrap_err();
            assert_eq!(error.exit, Exit::Usage);
            assert!(error.message.contains("--endpoint"), "{error:?}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
            assert_eq!(error.hints.len(), hints);
        }
        let insecure = typed(&["--insecure-http"]).unwrap();
        assert!(
            insecure
                .endpoint("http://dcs.example.com", "--endpoint")
                .is_ok()
        );
        assert!(network.endpoint("http://127.0.0.1:1", "--endpoint").is_ok());
    }

    #[test]
    fn every_option_has_its_environment_name_and_hides_the_value() {
        let command = Line::command();
        let mut seen = 0;
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long().filter(|long| *long != "help") else {
                continue;
            };
            let name = format!("DCS_HISTORY_{}", long.to_uppercase().replace('-', "_"));
            let env = argument.get_env().and_then(|env| env.to_str());
            assert_eq!(env, Some(name.as_str()));
            assert!(argument.is_hide_env_values_set(), "{long}");
            seen += 1;
        }
        assert_eq!(seen, 9);
    }
}
