//! Operation names (`name` of a task): which are known, and which mean the same operation.
//!
//! The list is open upstream: an undocumented name is data like any other. Names are stored as sent; only a filter knows
//! that two of them mean one operation.

/// Operation names seen in the documentation or in clients that poll this call.
pub(crate) const DOCUMENTED: [&str; 12] = [
    "ChangeInstanceSpec",
    "EXTEND",
    "BindEip",
    "UnBindEip",
    "AddReplica",
    "DelReplica",
    "AddWhitelist",
    "UpdatePort",
    "RemoveIpFromDns",
    "masterStandbySwapJob",
    "modify",
    "DeleteAcl",
];

/// Returns every name that the upstream uses for the same operation, the given one first.
pub(crate) fn synonyms(name: &str) -> Vec<&str> {
    const SPECIFICATION_CHANGE: [&str; 2] = ["ChangeInstanceSpec", "EXTEND"];
    let mut names = vec![name];
    if SPECIFICATION_CHANGE
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
    {
        names.extend(
            SPECIFICATION_CHANGE
                .iter()
                .filter(|known| !known.eq_ignore_ascii_case(name)),
        );
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specification_change_is_found_under_both_of_its_names() {
        assert_eq!(synonyms("EXTEND"), ["EXTEND", "ChangeInstanceSpec"]);
        assert_eq!(
            synonyms("changeinstancespec"),
            ["changeinstancespec", "EXTEND"]
        );
        assert_eq!(synonyms("BindEip"), ["BindEip"]);
    }
}
