//! `--tz`: which clock is meant, looked up in the machine's zone files.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use tz::TimeZone;
use tz::timezone::TimeZoneSettings;

use crate::output::zone::Zone;

/// Where systems keep their zone files.
const FOLDERS: [&str; 3] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"];

/// The zone of the machine itself.
const LOCAL: &str = "/etc/localtime";

/// The largest zone file that is read; real ones have a few kilobytes.
const LARGEST: u64 = 1 << 20;

/// Names that an error offers.
const OFFERED: usize = 5;

/// How deep the folders of zones are searched: `America/Argentina/Ushuaia`.
const DEEPEST: usize = 3;

/// Reads what was typed: `local`, an offset, or the name of a zone.
pub(crate) fn parse(typed: &str) -> Result<Zone, String> {
    let folders = folders(read("TZDIR"));
    match typed {
        "local" => local(&folders, read("TZ"), Path::new(LOCAL)),
        _ => named(&folders, typed),
    }
}

fn folders(tzdir: Option<OsString>) -> Vec<PathBuf> {
    let own = tzdir.map(PathBuf::from).filter(|path| path.is_absolute());
    own.into_iter().chain(FOLDERS.map(PathBuf::from)).collect()
}

/// Finds the zone of this machine: what `TZ` says, else its clock's setting; without either it is UTC.
fn local(folders: &[PathBuf], tz: Option<OsString>, setting: &Path) -> Result<Zone, String> {
    let Some(tz) = tz else {
        return Ok(load(setting).unwrap_or(Zone::UTC));
    };
    let unknown = || {
        format!(
            "the variable TZ names no time zone: {:?}",
            tz.to_string_lossy()
        )
    };
    let text = tz.to_str().ok_or_else(unknown)?;
    let text = text.strip_prefix(':').unwrap_or(text);
    if text.is_empty() {
        return Ok(Zone::UTC);
    }
    let rules = || {
        let no_files = TimeZoneSettings::new(&[], |_| Err("rules only".into()));
        no_files.parse_posix_tz(text).ok().map(Zone::new)
    };
    let found = if Path::new(text).is_absolute() {
        load(Path::new(text))
    } else {
        find(folders, text).or_else(rules)
    };
    found.ok_or_else(unknown)
}

fn named(folders: &[PathBuf], typed: &str) -> Result<Zone, String> {
    if ["UTC", "Z"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(typed))
    {
        return Ok(Zone::UTC);
    }
    if typed.starts_with(['+', '-']) {
        return offset(typed)
            .ok_or_else(|| "an offset is written +HH:MM or -HH:MM, at most 23:59".to_owned());
    }
    find(folders, typed).ok_or_else(|| {
        let all = all(folders);
        let near = near(&all, typed);
        if near.is_empty() {
            "it is no time zone of this machine: type local, +HH:MM, or a name such as Europe/Berlin"
                .to_owned()
        } else {
            format!("it is no time zone of this machine; near it: {}", near.join(", "))
        }
    })
}

/// Reads `+05:30`, `+0530` or `+05`.
fn offset(typed: &str) -> Option<Zone> {
    let digits: Vec<i32> = typed[1..]
        .bytes()
        .enumerate()
        .filter(|(at, byte)| !(*at == 2 && *byte == b':'))
        .map(|(_, byte)| byte.is_ascii_digit().then(|| i32::from(byte - b'0')))
        .collect::<Option<_>>()?;
    let (hours, minutes) = match digits[..] {
        [a, b] if !typed.ends_with(':') => (a * 10 + b, 0),
        [a, b, c, d] => (a * 10 + b, c * 10 + d),
        _ => return None,
    };
    let seconds = (hours * 60 + minutes) * 60;
    let is_possible = hours < 24 && minutes < 60;
    Zone::fixed(if typed.starts_with('-') {
        -seconds
    } else {
        seconds
    })
    .filter(|_| is_possible)
}

fn find(folders: &[PathBuf], name: &str) -> Option<Zone> {
    if !is_name(name) {
        return None;
    }
    folders.iter().find_map(|folder| load(&folder.join(name)))
}

/// Says whether the text can be the name of a zone. One never climbs out of its folder.
fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte);
        !part.is_empty() && part.bytes().all(is_allowed)
    };
    text.len() <= 64 && text.split('/').all(is_part)
}

/// Reads a zone file; nothing if it is none.
fn load(path: &Path) -> Option<Zone> {
    let file = File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    TimeZone::from_tz_data(&bytes).ok().map(Zone::new)
}

/// Returns the names of all zones, for an error that offers some.
fn all(folders: &[PathBuf]) -> Vec<String> {
    let mut names = Vec::new();
    for folder in folders {
        collect(folder, "", DEEPEST, &mut names);
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn collect(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        // The names of zones and of their continents begin with a capital; `posix` and `right` are copies.
        if !is_name(&name) || !name.starts_with(|first: char| first.is_ascii_uppercase()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth > 1 {
                collect(&entry.path(), &format!("{path}/"), depth - 1, names);
            }
        } else {
            names.push(path);
        }
    }
}

/// Chooses the names that were probably meant: those that differ in capitals or lack the continent, then those that hold
/// what was typed.
fn near<'a>(all: &'a [String], typed: &str) -> Vec<&'a str> {
    let typed = typed.replace(' ', "_").to_ascii_lowercase();
    let last = typed.rsplit('/').next().unwrap_or_default();
    let matching = |meant: &dyn Fn(&str) -> bool| -> Vec<&'a str> {
        let names = all.iter().filter(|name| meant(&name.to_ascii_lowercase()));
        names.map(String::as_str).take(OFFERED).collect()
    };
    let same = matching(&|name| name == typed || name.rsplit('/').next() == Some(last));
    if !same.is_empty() || last.len() < 3 {
        return same;
    }
    matching(&|name| name.contains(last))
}

#[expect(
    clippy::disallowed_methods,
    reason = "these belong to the system, and no option stands for them"
)]
fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::phrase::Precision;

    /// A zone file that holds rules and no past.
    fn zone_file(rules: &str) -> Vec<u8> {
        let header = |version: u8| {
            let mut bytes = b"TZif".to_vec();
            bytes.push(version);
            bytes.extend([0; 15]);
            // No leap seconds, no transitions; one type of local time, with a name of four bytes.
            for count in [0_u32, 0, 0, 0, 1, 4] {
                bytes.extend(count.to_be_bytes());
            }
            bytes.extend([0, 0, 0, 0, 0, 0]);
            bytes.extend(b"UTC\0");
            bytes
        };
        let mut bytes = header(b'2');
        bytes.extend(header(b'2'));
        bytes.extend(format!("\n{rules}\n").bytes());
        bytes
    }

    fn machine() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, rules: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, zone_file(rules)).unwrap();
        };
        write("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3");
        write("America/Argentina/Ushuaia", "<-03>3");
        write("America/New_York", "EST5EDT,M3.2.0,M11.1.0");
        write("posix/Europe/Berlin", "CET-1");
        write("Etc/GMT+5", "<-05>5");
        fs::write(folder.path().join("Damaged"), b"TZif2 and no more").unwrap();
        fs::write(
            folder.path().join("zone.tab"),
            b"DE\t+5230+01322\tEurope/Berlin",
        )
        .unwrap();
        folder
    }

    fn shown(zone: Result<Zone, String>) -> Result<String, String> {
        zone.map(|zone| zone.moment("2026-07-01T12:00:00.000Z", Precision::Minute))
    }

    #[test]
    fn a_zone_is_an_offset_or_a_name() {
        let machine = machine();
        let folders = [PathBuf::from("/nonexistent"), machine.path().to_owned()];
        let cases = [
            ("UTC", "2026-07-01 12:00"),
            ("utc", "2026-07-01 12:00"),
            ("+00:00", "2026-07-01 12:00"),
            ("+02:00", "2026-07-01 14:00+02"),
            ("+0530", "2026-07-01 17:30+05:30"),
            ("-08", "2026-07-01 04:00-08"),
            ("+23:59", "2026-07-02 11:59+23:59"),
            ("Europe/Berlin", "2026-07-01 14:00+02"),
            ("America/Argentina/Ushuaia", "2026-07-01 09:00-03"),
            ("Etc/GMT+5", "2026-07-01 07:00-05"),
        ];
        for (typed, expected) in cases {
            assert_eq!(
                shown(named(&folders, typed)).as_deref(),
                Ok(expected),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_is_no_zone_is_refused_and_near_names_are_offered() {
        let machine = machine();
        let folders = [machine.path().join("Europe"), machine.path().to_owned()];
        fs::write(machine.path().join("secret"), zone_file("CET-1")).unwrap();
        let cases = [
            ("Nowhere/Land", "such as Europe/Berlin"),
            ("berlin", "near it: Berlin, Europe/Berlin"),
            ("europe/berlin", "near it: Berlin, Europe/Berlin"),
            ("new york", "near it: America/New_York"),
            ("ushu", "near it: America/Argentina/Ushuaia"),
            ("../secret", "no time zone"),
            ("Europe/../secret", "no time zone"),
            ("/etc/localtime", "no time zone"),
            ("Europe/", "no time zone"),
            ("Europe", "no time zone"),
            (".", "no time zone"),
            ("", "no time zone"),
            ("zone.tab", "no time zone"),
            ("Damaged", "no time zone"),
            ("Europe/Berlin\0", "no time zone"),
            ("+", "+HH:MM"),
            ("+2", "+HH:MM"),
            ("+24:00", "+HH:MM"),
            ("+02:60", "+HH:MM"),
            ("+02:", "+HH:MM"),
            ("+02:0", "+HH:MM"),
            ("+02:00:00", "+HH:MM"),
            ("--sort", "+HH:MM"),
            ("+é", "+HH:MM"),
        ];
        for (typed, expected) in cases {
            let error = shown(named(&folders, typed)).unwrap_err();
            assert!(error.contains(expected), "{typed:?}: {error}");
        }
    }

    #[test]
    fn the_machines_own_zone_is_what_the_variable_says_then_its_setting() {
        let machine = machine();
        let folders = [machine.path().to_owned()];
        let setting = machine.path().join("America/New_York");
        let berlin = machine.path().join("Europe/Berlin");
        let berlin = berlin.to_str().unwrap();
        let cases = [
            (None, "2026-07-01 08:00-04"),
            (Some(""), "2026-07-01 12:00"),
            (Some("Europe/Berlin"), "2026-07-01 14:00+02"),
            (Some(":Europe/Berlin"), "2026-07-01 14:00+02"),
            (Some(berlin), "2026-07-01 14:00+02"),
            (Some("IST-5:30"), "2026-07-01 17:30+05:30"),
        ];
        for (tz, expected) in cases {
            let zone = local(&folders, tz.map(OsString::from), &setting);
            assert_eq!(shown(zone).as_deref(), Ok(expected), "{tz:?}");
        }
        for tz in ["Nowhere/Land", "/nonexistent", ":"] {
            let zone = local(&folders, Some(tz.into()), &setting);
            assert_eq!(zone.is_err(), tz != ":", "{tz}");
        }
        let none = local(&folders, None, Path::new("/nonexistent"));
        assert_eq!(shown(none).as_deref(), Ok("2026-07-01 12:00"));
    }
}
