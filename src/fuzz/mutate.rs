//! What is done to bytes and texts so that they are wrong, or at least not what anybody would write.

use crate::simulator::rng::Rng;

/// Texts that something on the way might take for more than a text.
const HOSTILE: [&str; 40] = [
    "",
    " ",
    "-",
    "--",
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r\n=1",
    "\u{200b}=1",
    "＝1",
    "'=1",
    "a,b;c\td",
    "\"quoted\" and \"more",
    "line\nbreak",
    "\r",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{9b}31m",
    "\0",
    "user\u{202e}nimda",
    "\u{2066}x\u{2069}",
    "\u{2028}",
    "\u{feff}",
    "\u{e0041}\u{e0042}",
    "e\u{301}\u{301}\u{301}\u{301}",
    "実例の名前を変更する操作です",
    "🙂👩\u{200d}👩\u{200d}👧❤\u{fe0f}",
    "|a|b|",
    "`code` _x_ *y* [z](http://e)",
    "<script>alert(1)</script>",
    "&amp;",
    "\\u0000\\",
    "%s%n",
    "NULL",
    "1e999",
    "9223372036854775808",
    "' OR 1=1 --",
    "a/../b",
    "ﷺ",
];

/// A text that is not nice, of some characters to some hundred.
pub(super) fn text(rng: &mut Rng) -> String {
    match rng.below(8) {
        0..=3 => rng.pick(HOSTILE).to_owned(),
        4 => format!("{}{}", rng.pick(HOSTILE), rng.pick(HOSTILE)),
        5 => rng.pick(HOSTILE).repeat(rng.index(40)),
        6 => rng.hex_id(),
        _ => (0..rng.index(12)).map(|_| character(rng)).collect(),
    }
}

/// Any character, those of one byte and those that are drawn oddly more often than others.
pub(super) fn character(rng: &mut Rng) -> char {
    let code = match rng.below(6) {
        0..=2 => rng.below(0x80),
        3 => rng.below(0x700),
        4 => 0x2000 + rng.below(0x80),
        _ => rng.below(0x11_0000),
    };
    u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or('\u{fffd}')
}

/// Does up to so many things to some bytes. What is put in comes from `dictionary`, or is chance.
pub(super) fn bytes(bytes: &mut Vec<u8>, most: u64, dictionary: &[&[u8]], rng: &mut Rng) {
    for _ in 0..=rng.below(most) {
        let at = rng.index(bytes.len());
        let length = rng.index((bytes.len() - at).min(64) + 1);
        match rng.below(8) {
            _ if bytes.is_empty() => bytes.push(draw_byte(rng)),
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = draw_byte(rng),
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let copied = bytes[at..at + length].to_vec();
                let to = rng.index(bytes.len() + 1);
                bytes.splice(to..to, copied);
            }
            4 => bytes.truncate(at),
            5 => {
                let copied = bytes[at..at + length].to_vec();
                let to = rng.index(bytes.len() - length + 1);
                bytes[to..to + length].copy_from_slice(&copied);
            }
            _ => {
                let word = dictionary.get(rng.index(dictionary.len()));
                let word = word.copied().unwrap_or_default().to_vec();
                let replaced = if rng.one_in(2) { length } else { 0 };
                bytes.splice(at..at + replaced, word);
            }
        }
    }
}

fn draw_byte(rng: &mut Rng) -> u8 {
    rng.draw().to_le_bytes()[0]
}
