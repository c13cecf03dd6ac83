//! JSON values for the property tests, and their many spellings.

use proptest::prelude::*;
use serde_json::Value;

/// Makes values whose equality a spelling cannot blur: whole numbers only, and few names, so that some collide.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Makes short texts, most of them of characters that matter to a JSON reader.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab]{0,2}",
        r#"[a"\\/\u{0}-\u{20}{}\[\],:\u{7f}é\u{1f600}]{0,4}"#,
        any::<String>(),
    ]
}

/// Writes a value in one of its spellings: white space, the order of members, and escapes are chosen by the seed.
pub(crate) fn spell(value: &Value, seed: u64) -> String {
    let mut speller = Speller {
        seed,
        text: String::new(),
    };
    speller.value(value);
    speller.text
}

struct Speller {
    seed: u64,
    text: String,
}

impl Speller {
    /// Returns a number below `bound`. The multiplier is Knuth's, for MMIX.
    fn choose(&mut self, bound: usize) -> usize {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.seed >> 33).unwrap() % bound
    }

    fn space(&mut self) {
        let spaces = ["", "", " ", "\n", "\t\r\n"];
        let chosen = spaces[self.choose(spaces.len())];
        self.text.push_str(chosen);
    }

    fn value(&mut self, value: &Value) {
        self.space();
        match value {
            Value::Array(elements) => {
                self.text.push('[');
                for (place, element) in elements.iter().enumerate() {
                    self.text.push_str(if place > 0 { "," } else { "" });
                    self.value(element);
                }
                self.space();
                self.text.push(']');
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                for last in (1..members.len()).rev() {
                    members.swap(last, self.choose(last + 1));
                }
                self.text.push('{');
                for (place, (name, member)) in members.into_iter().enumerate() {
                    self.text.push_str(if place > 0 { "," } else { "" });
                    self.space();
                    self.string(name);
                    self.space();
                    self.text.push(':');
                    self.value(member);
                }
                self.space();
                self.text.push('}');
            }
            Value::String(string) => self.string(string),
            other => self.text.push_str(&other.to_string()),
        }
        self.space();
    }

    fn string(&mut self, string: &str) {
        self.text.push('"');
        for character in string.chars() {
            let must = character < ' ' || matches!(character, '"' | '\\');
            match self.choose(4) {
                0 => self.escape_units(character),
                1 if must || character == '/' => self.escape_short(character),
                _ if must => self.escape_units(character),
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
    }

    fn escape_units(&mut self, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let escape = if self.choose(2) == 0 {
                format!("\\u{unit:04x}")
            } else {
                format!("\\u{unit:04X}")
            };
            self.text.push_str(&escape);
        }
    }

    fn escape_short(&mut self, character: char) {
        let short = match character {
            '"' | '\\' | '/' => character,
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            _ => return self.escape_units(character),
        };
        self.text.extend(['\\', short]);
    }
}
