//! IP addresses in any text: found wherever they stand, with or without a port, a prefix length or brackets around them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest text of an IPv6 address: eight groups, of which the last two are an IPv4 address.
const LONGEST: usize = 45;

/// Replaces every address; the rest of the text stays.
pub(super) fn replace(text: &str, mut name: impl FnMut(IpAddr) -> String) -> String {
    let bytes = text.as_bytes();
    let mut replaced = String::with_capacity(text.len());
    let (mut copied, mut at) = (0, 0);
    while at < bytes.len() {
        let Some((address, length)) = begins(text, at) else {
            at += 1;
            continue;
        };
        replaced.push_str(&text[copied..at]);
        replaced.push_str(&name(address));
        at += length;
        copied = at;
    }
    replaced.push_str(&text[copied..]);
    replaced
}

/// Returns the address that begins at a place, and its length in bytes. What is one in a longer run of digits is none.
fn begins(text: &str, at: usize) -> Option<(IpAddr, usize)> {
    let bytes = text.as_bytes();
    let before = at.checked_sub(1).map(|before| bytes[before]);
    if !bytes[at].is_ascii_hexdigit() && bytes[at] != b':' {
        return None;
    }
    let rest = &bytes[at..bytes.len().min(at + LONGEST)];
    if !before.is_some_and(|byte| byte.is_ascii_hexdigit() || byte == b':')
        && let Some(found) = v6(rest)
    {
        return Some(found);
    }
    if before.is_some_and(|byte| byte.is_ascii_digit()) {
        return None;
    }
    v4(&bytes[at..])
}

/// The longest IPv6 address at the beginning.
fn v6(rest: &[u8]) -> Option<(IpAddr, usize)> {
    let is_part = |byte: &&u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let run = rest.iter().take_while(is_part).count();
    let colons = rest[..run].iter().filter(|byte| **byte == b':');
    if colons.take(2).count() < 2 {
        return None;
    }
    let ends = (2..=run).rev();
    let mut addresses = ends.filter_map(|end| {
        let text = std::str::from_utf8(&rest[..end]).ok()?;
        let address: Ipv6Addr = text.parse().ok()?;
        Some((IpAddr::V6(address), end))
    });
    addresses.next()
}

/// Four numbers of a byte each, joined by points.
fn v4(rest: &[u8]) -> Option<(IpAddr, usize)> {
    let (mut at, mut octets) = (0, [0_u8; 4]);
    for (place, octet) in octets.iter_mut().enumerate() {
        if place > 0 {
            if rest.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let digits = rest[at..].iter().take_while(|byte| byte.is_ascii_digit());
        let length = digits.count();
        // Leading zeros are no proper way to write one, and yet an address.
        let text = std::str::from_utf8(&rest[at..at + length]).ok()?;
        *octet = text
            .trim_start_matches('0')
            .parse()
            .or(if length > 0 && text.bytes().all(|byte| byte == b'0') {
                Ok(0)
            } else {
                Err(())
            })
            .ok()?;
        at += length;
    }
    Some((IpAddr::V4(Ipv4Addr::from(octets)), at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn replaced(text: &str) -> String {
        replace(text, |address| format!("<{address}>"))
    }

    #[test]
    fn addresses_are_found_wherever_they_stand() {
        let cases = [
            ("", ""),
            ("no address", "no address"),
            ("203.0.113.7", "<203.0.113.7>"),
            ("at 203.0.113.7:6379, twice", "at <203.0.113.7>:6379, twice"),
            (
                "[\"10.0.0.0/8\",\"0.0.0.0/0\"]",
                "[\"<10.0.0.0>/8\",\"<0.0.0.0>/0\"]",
            ),
            ("http://10.1.2.3/x", "http://<10.1.2.3>/x"),
            ("redis-10.0.0.5", "redis-<10.0.0.5>"),
            ("a10.0.0.5b", "a<10.0.0.5>b"),
            ("010.000.0.005", "<10.0.0.5>"),
            ("1.2.3", "1.2.3"),
            ("256.1.1.1", "256.1.1.1"),
            ("1.2.3.4.", "<1.2.3.4>."),
            ("2001:db8::1", "<2001:db8::1>"),
            ("[2001:db8::1]:6379", "[<2001:db8::1>]:6379"),
            ("fe80::1%eth0", "<fe80::1>%eth0"),
            ("::/0", "<::>/0"),
            ("::ffff:10.0.0.1", "<::ffff:10.0.0.1>"),
            ("é10.0.0.1é", "é<10.0.0.1>é"),
            ("2026-10-01T10:20:30.000Z", "2026-10-01T10:20:30.000Z"),
            ("00:11:22:33:44:55", "00:11:22:33:44:55"),
            (
                "558016a5-9c67-4675-b9e0-786f0395bc87",
                "558016a5-9c67-4675-b9e0-786f0395bc87",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(replaced(text), expected, "{text}");
        }
    }

    proptest! {
        /// Whatever stands around it, an address does not stay.
        #[test]
        fn none_stays(before in "[^0-9a-fA-F:.]{0,5}", address in any::<IpAddr>(), after in "([^0-9a-fA-F:.].{0,5})?") {
            let text = format!("{before}{address}{after}");
            let left = replace(&text, |_| String::new());
            prop_assert!(!left.contains(&address.to_string()), "{text} {left}");
            prop_assert!(left.len() < text.len());
        }

        #[test]
        fn it_never_panics_and_changes_nothing_else(text in ".{0,80}") {
            let same = replace(&text, |address| address.to_string());
            prop_assert!(same.len() <= text.len() + 60);
        }
    }
}
