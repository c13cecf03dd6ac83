//! Operation names (`name` of a task): which are known, what they mean in plain words, and which mean the same operation.
//!
//! The list is open upstream: an undocumented name is data like any other. Names are stored as sent and found as sent; only
//! a filter knows that two of them mean one operation, and only what people read has a plain name beside them.

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

/// What each name means: the documented ones in their order, then those of the neighbouring job call, which may show here
/// one day. A plain name says what a success did; short enough to stand beside the upstream's in a table.
pub(crate) const PLAIN: [(&str, &str); 20] = [
    ("ChangeInstanceSpec", "specification changed"),
    ("EXTEND", "specification changed"),
    ("BindEip", "public access enabled"),
    ("UnBindEip", "public access disabled"),
    ("AddReplica", "replica added"),
    ("DelReplica", "replica deleted"),
    ("AddWhitelist", "IP whitelist changed"),
    ("UpdatePort", "port changed"),
    ("RemoveIpFromDns", "IP removed from DNS"),
    ("masterStandbySwapJob", "master/standby switched"),
    ("modify", "password changed"),
    ("DeleteAcl", "ACL account deleted"),
    ("modifyClientIpTransJob", "client IP setting changed"),
    ("modifyBandwidth", "bandwidth changed"),
    ("createDCSInstance", "instance created"),
    ("closeDCSInstance", "instance stopped"),
    ("deleteDCSInstance", "instance deleted"),
    ("backupDCSInstance", "backup made"),
    ("restoreDCSInstance", "backup restored"),
    ("extendDCSInstance", "specification changed"),
];

/// Returns the plain name of an operation, in whatever case its name is written; nothing for one that nobody documents.
pub(crate) fn plain(name: &str) -> Option<&'static str> {
    let mut known = PLAIN.iter();
    let found = known.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, plain)| *plain)
}

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

    #[test]
    fn every_known_operation_has_a_plain_name_and_another_has_none() {
        let cases = [
            ("BindEip", Some("public access enabled")),
            ("bindeip", Some("public access enabled")),
            ("EXTEND", Some("specification changed")),
            ("modify", Some("password changed")),
            ("modifyBandwidth", Some("bandwidth changed")),
            ("Bind", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(plain(name), expected, "{name}");
        }
        for (place, name) in DOCUMENTED.iter().enumerate() {
            assert_eq!(PLAIN[place].0, *name);
        }
        for name in DOCUMENTED {
            let plains: Vec<_> = synonyms(name).into_iter().map(plain).collect();
            assert!(plains.iter().all(|one| *one == plains[0]), "{plains:?}");
        }
        assert!(PLAIN.iter().all(|(_, plain)| plain.len() <= 25));
    }
}
