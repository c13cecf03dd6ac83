//! Names that were typed and that nobody knows, answered with those that may have been meant.

use super::error::CliError;

/// Names that an error tells, at most: enough to recognise the one that was meant.
const TOLD: usize = 5;

/// The shortest text that says something by standing inside a name.
const TELLING: usize = 3;

/// Returns the error for a name that is not known: with the known ones that are near, or else with those that there are.
pub(crate) fn unknown(what: &str, typed: &str, known: &[String]) -> CliError {
    let error = CliError::usage(format!("no {what} {typed:?} is known"));
    match near(typed, known).as_slice() {
        [] if known.is_empty() => error,
        [] => error.hint(format!("known are {}", listed(known))),
        near => error.hint(format!("did you mean {}?", near.join(" or "))),
    }
}

/// Returns the known names that look like what was typed, the nearest first.
pub(crate) fn near<'a>(typed: &str, known: &'a [String]) -> Vec<&'a str> {
    if typed.is_empty() {
        return Vec::new();
    }
    let typed = typed.to_lowercase();
    let mut scored: Vec<_> = known
        .iter()
        .filter_map(|name| Some((distance(&typed, &name.to_lowercase())?, name.as_str())))
        .collect();
    scored.sort_unstable();
    scored.dedup();
    let nearest = scored.into_iter().map(|(_, name)| name);
    nearest.take(TOLD).collect()
}

/// How many letters keep a name from what was typed; nothing if they have too little in common.
///
/// A third of the letters may be wrong. What was typed may also be the beginning of a name, or a part of it, or hold one.
fn distance(typed: &str, name: &str) -> Option<usize> {
    let length = typed.chars().count();
    let beginning: String = name.chars().take(length).collect();
    let whole = strsim::osa_distance(typed, name);
    let begun = strsim::osa_distance(typed, &beginning);
    let holds = |one: &str, other: &str| other.chars().count() >= TELLING && one.contains(other);
    if whole.min(begun) <= length / 3 {
        // Of two that are as near, the one that was typed to its end comes first.
        Some(whole.min(begun + 1))
    } else if holds(name, typed) || holds(typed, name) {
        Some(length)
    } else {
        None
    }
}

fn listed(known: &[String]) -> String {
    let mut told: Vec<_> = known.iter().take(TOLD).cloned().collect();
    if known.len() > TOLD {
        told.push(format!("{} more", known.len() - TOLD));
    }
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_may_have_been_meant_is_found() {
        let known = known(&[
            "BindEip",
            "UnBindEip",
            "ChangeInstanceSpec",
            "EXTEND",
            "capacity",
            "port",
            "SUCCESS",
            "a436ef01-461a-4e9e-a246-f4d8df0f66c6",
            "実例の名前",
        ]);
        let cases: [(&str, &[&str]); 14] = [
            ("bindeip", &["BindEip", "UnBindEip"]),
            ("BidnEip", &["BindEip"]),
            ("Bind", &["BindEip", "UnBindEip"]),
            ("extnd", &["EXTEND"]),
            ("ChangeInstance", &["ChangeInstanceSpec"]),
            ("new_capacity", &["capacity"]),
            ("prot", &["port"]),
            ("sucess", &["SUCCESS"]),
            ("SUCCESSFUL", &["SUCCESS"]),
            ("a436ef02", &["a436ef01-461a-4e9e-a246-f4d8df0f66c6"]),
            ("実例の名", &["実例の名前"]),
            ("x", &[]),
            ("resize", &[]),
            ("", &[]),
        ];
        for (typed, expected) in cases {
            assert_eq!(near(typed, &known), expected, "{typed}");
        }
    }

    #[test]
    fn an_error_tells_near_names_or_known_ones() {
        let names = known(&["a", "b", "c", "d", "e", "f", "port"]);
        let told = |typed: &str, known: &[String]| unknown("attribute", typed, known).hints;
        assert_eq!(told("prot", &names), ["did you mean port?"]);
        assert_eq!(told("xxx", &names), ["known are a, b, c, d, e, 2 more"]);
        assert!(told("xxx", &[]).is_empty());
    }
}
