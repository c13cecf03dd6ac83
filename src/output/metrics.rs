//! Numbers for monitoring, in Prometheus' text exposition format (version 0.0.4), as the textfile collector of
//! `node_exporter` reads it.

use std::fmt::Write as _;

/// What every name begins with.
const PREFIX: &str = "dcs_history_";

/// A metric: its name without the prefix, what it means, and its value for each set of labels. All are gauges: each is
/// what the archive says at this moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) value: f64,
}

/// Writes metrics out; one without a value is left out.
pub(crate) fn render(metrics: &[Metric]) -> String {
    let mut text = String::new();
    for metric in metrics.iter().filter(|metric| !metric.samples.is_empty()) {
        let (name, help) = (metric.name, escape(metric.help, false));
        let _infallible = writeln!(
            text,
            "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} gauge"
        );
        for sample in &metric.samples {
            let labels: Vec<_> = sample
                .labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escape(value, true)))
                .collect();
            let labels = match labels.as_slice() {
                [] => String::new(),
                labels => format!("{{{}}}", labels.join(",")),
            };
            let _infallible = writeln!(text, "{PREFIX}{name}{labels} {}", sample.value);
        }
    }
    text
}

/// Escapes as the format asks: backslashes and line ends everywhere, quotes in the value of a label.
fn escape(text: &str, is_label: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str(r"\\"),
            '\n' => escaped.push_str(r"\n"),
            '"' if is_label => escaped.push_str("\\\""),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_written_as_the_format_asks() {
        let sample = |labels: &[(&'static str, &str)], value| Sample {
            labels: labels
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            value,
        };
        let metric = |name, samples| Metric {
            name,
            help: "In \"seconds\",\nor \\ so.",
            samples,
        };
        let text = render(&[
            metric("empty", Vec::new()),
            metric("healthy", vec![sample(&[], 1.0)]),
            metric(
                "last_success_timestamp_seconds",
                vec![
                    sample(&[("project_id", "a\"b\\c\nd")], 1_790_906_400.25),
                    sample(&[("project_id", "実例"), ("x", "")], -0.5),
                ],
            ),
        ]);
        insta::assert_snapshot!(text, @r#"
        # HELP dcs_history_healthy In "seconds",\nor \\ so.
        # TYPE dcs_history_healthy gauge
        dcs_history_healthy 1
        # HELP dcs_history_last_success_timestamp_seconds In "seconds",\nor \\ so.
        # TYPE dcs_history_last_success_timestamp_seconds gauge
        dcs_history_last_success_timestamp_seconds{project_id="a\"b\\c\nd"} 1790906400.25
        dcs_history_last_success_timestamp_seconds{project_id="実例",x=""} -0.5
        "#);
    }
}
