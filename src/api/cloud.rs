//! Where a cloud answers: the addresses of DCS and IAM by region, and what an address tells of its cloud.
//!
//! Both clouds name their hosts `SERVICE.REGION.DOMAIN`. An address that is not of a known cloud tells nothing, and then
//! nothing is worked out: a token must not go to a cloud that only looks likely.

/// Where every ECS finds its metadata service: a link-local address that no router forwards.
pub(crate) const METADATA: &str = "http://169.254.169.254";

/// Open Telekom Cloud.
pub(crate) const OTC: &str = "otc.t-systems.com";

/// Huawei Cloud; the vendor's own table for DCS has the European regions under it as well.
const HUAWEI: &str = "myhuaweicloud.com";

/// Domains in which hosts are named after this rule.
const KNOWN: [&str; 3] = [OTC, HUAWEI, "myhuaweicloud.eu"];

/// The regions of Open Telekom Cloud; Huawei's own are named otherwise.
const OTC_REGIONS: [&str; 2] = ["eu-de", "eu-nl"];

/// Returns the domain of the cloud that has this region.
pub(crate) fn domain_of_region(region: &str) -> &'static str {
    if OTC_REGIONS.contains(&region) {
        OTC
    } else {
        HUAWEI
    }
}

/// Returns the domain of the known cloud that a host belongs to.
pub(crate) fn domain_of_host(host: &str) -> Option<&'static str> {
    let is_in = |domain: &&&str| {
        let rest = host.strip_suffix(**domain);
        rest.is_some_and(|rest| rest.ends_with('.'))
    };
    KNOWN.iter().find(is_in).copied()
}

/// Returns the region in the name of a known cloud's host, `iam.REGION.DOMAIN`; a global host has none.
pub(crate) fn region_of_host(host: &str) -> Option<&str> {
    let domain = domain_of_host(host)?;
    let rest = host.strip_suffix(domain)?.strip_suffix('.')?;
    let (_service, region) = rest.split_once('.')?;
    is_region(region).then_some(region)
}

/// Says whether a text can be the name of a region: letters, digits and hyphens, so that no host is made of it that
/// belongs to somebody else.
pub(crate) fn is_region(text: &str) -> bool {
    is_label(text)
}

/// Says whether a text can be the domain of a cloud.
pub(crate) fn is_domain(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_label)
}

fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(plain) && !text.starts_with('-') && !text.ends_with('-')
}

/// Returns the address of DCS.
pub(crate) fn dcs(region: &str, domain: &str) -> String {
    format!("https://dcs.{region}.{domain}")
}

/// Returns the address of IAM.
pub(crate) fn iam(region: &str, domain: &str) -> String {
    format!("https://iam.{region}.{domain}")
}

/// Takes the version off an address of IAM, which people write with `/v3`, with `/` and with neither.
pub(crate) fn iam_origin(address: &str) -> &str {
    let address = address.trim().trim_end_matches('/');
    address
        .strip_suffix("/v3")
        .unwrap_or(address)
        .trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clouds_have_their_hosts() {
        let cases = [
            ("eu-de", "https://dcs.eu-de.otc.t-systems.com"),
            ("eu-nl", "https://dcs.eu-nl.otc.t-systems.com"),
            ("cn-north-4", "https://dcs.cn-north-4.myhuaweicloud.com"),
            ("eu-west-101", "https://dcs.eu-west-101.myhuaweicloud.com"),
        ];
        for (region, expected) in cases {
            assert_eq!(dcs(region, domain_of_region(region)), expected);
        }
        assert_eq!(iam("eu-de", OTC), "https://iam.eu-de.otc.t-systems.com");
    }

    #[test]
    fn a_host_tells_its_cloud_and_its_region_if_it_is_a_known_one() {
        let cases = [
            ("iam.eu-de.otc.t-systems.com", Some(OTC), Some("eu-de")),
            (
                "iam.cn-north-4.myhuaweicloud.com",
                Some(HUAWEI),
                Some("cn-north-4"),
            ),
            ("iam.myhuaweicloud.com", Some(HUAWEI), None),
            (
                "iam.eu-west-101.myhuaweicloud.eu",
                Some("myhuaweicloud.eu"),
                Some("eu-west-101"),
            ),
            ("iam.a.b.myhuaweicloud.com", Some(HUAWEI), None),
            ("iam.eu-de.evil-myhuaweicloud.com", None, None),
            ("iam.eu-de.myhuaweicloud.com.example.com", None, None),
            (
                "iam.eu-west-0.prod-cloud-ocb.orange-business.com",
                None,
                None,
            ),
            ("127.0.0.1", None, None),
            ("myhuaweicloud.com", None, None),
        ];
        for (host, domain, region) in cases {
            assert_eq!(
                (domain_of_host(host), region_of_host(host)),
                (domain, region),
                "{host}"
            );
        }
    }

    #[test]
    fn what_could_make_another_host_is_no_region_and_no_domain() {
        for region in [
            "", "eu.de", "eu-de/", "@x", "EU-DE", "a b", "-a", "a-", "x#", "実",
        ] {
            assert!(!is_region(region), "{region:?}");
        }
        for domain in ["", "com", "a..b", "a.b/", "@a.b", "a.b:1", ".a.b", "a.b."] {
            assert!(!is_domain(domain), "{domain:?}");
        }
        assert!(is_region("ap-southeast-1") && is_domain(OTC) && is_domain("otc.example.com"));
    }

    #[test]
    fn an_address_of_iam_may_end_in_its_version() {
        let origin = "https://iam.eu-de.otc.t-systems.com:443";
        for ending in ["", "/", "/v3", "/v3/", " "] {
            assert_eq!(
                iam_origin(&format!("{origin}{ending}")),
                origin,
                "{ending:?}"
            );
        }
        assert_eq!(
            iam_origin("https://a.example/v2.0"),
            "https://a.example/v2.0"
        );
    }
}
