//! Instances as people name them: by id, by name, or by the beginning of an id.

/// Returns those that somebody may have meant, each given as its id and its name: an id beats a name, and a name beats the
/// beginning of an id.
pub(crate) fn meant<'a, T>(
    typed: &str,
    known: &'a [T],
    told: impl Fn(&T) -> (&str, Option<&str>),
) -> Vec<&'a T> {
    let is_id = |one: &&T| told(one).0 == typed;
    let is_name = |one: &&T| told(one).1 == Some(typed);
    let begins = |one: &&T| !typed.is_empty() && told(one).0.starts_with(typed);
    let by_id: Vec<_> = known.iter().filter(is_id).collect();
    if !by_id.is_empty() {
        return by_id;
    }
    let by_name: Vec<_> = known.iter().filter(is_name).collect();
    if !by_name.is_empty() {
        return by_name;
    }
    known.iter().filter(begins).collect()
}
