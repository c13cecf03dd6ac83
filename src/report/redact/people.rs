//! Who is who: names and ids of users, and the one pseudonym that stands for all names and ids of one person.

use std::collections::{HashMap, HashSet};

/// Shorter names are too likely to be a part of something else; where a name stands by itself, any is replaced.
const SHORTEST: usize = 3;

/// A user as a task names one.
pub(crate) struct User {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

/// The people whom the archive knows.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Names and ids as they are.
    numbers: HashMap<String, usize>,
    /// The same in lower case, the longest first, by their first byte: what is looked for in texts.
    wanted: HashMap<u8, Vec<(String, usize)>>,
    taken: HashSet<String>,
    last: usize,
}

impl People {
    /// Numbers people in the order in which they come. Users that have a name or an id in common are one person.
    pub(super) fn new(users: &[User]) -> Self {
        let texts = |user: &User| -> Vec<String> {
            let texts = [&user.id, &user.name].into_iter().flatten();
            texts.filter(|text| !text.is_empty()).cloned().collect()
        };
        // Who shares a text with whom, until nothing changes any more: each group is known by its first user.
        let mut groups: Vec<usize> = (0..users.len()).collect();
        let mut first: HashMap<String, usize> = HashMap::new();
        for (place, user) in users.iter().enumerate() {
            for text in texts(user) {
                let other = *first.entry(text).or_insert(place);
                let (one, other) = (root(&groups, place), root(&groups, other));
                groups[one.max(other)] = one.min(other);
            }
        }
        let mut people = Self {
            taken: first.keys().map(|text| text.to_lowercase()).collect(),
            ..Self::default()
        };
        let mut numbers: HashMap<usize, usize> = HashMap::new();
        for (place, user) in users.iter().enumerate() {
            let texts = texts(user);
            if texts.is_empty() {
                continue;
            }
            let number = *numbers
                .entry(root(&groups, place))
                .or_insert_with(|| people.next());
            for text in texts {
                people.add(text, number);
            }
        }
        for wanted in people.wanted.values_mut() {
            wanted.sort_by_cached_key(|(text, number)| {
                (std::cmp::Reverse(text.len()), text.clone(), *number)
            });
        }
        people
    }

    fn add(&mut self, text: String, number: usize) {
        let low = text.to_ascii_lowercase();
        if low.len() >= SHORTEST && !self.numbers.contains_key(&text) {
            let bucket = self.wanted.entry(low.as_bytes()[0]).or_default();
            bucket.push((low, number));
        }
        self.numbers.entry(text).or_insert(number);
    }

    /// The next number whose pseudonym is nobody's name.
    fn next(&mut self) -> usize {
        loop {
            self.last += 1;
            if !self.taken.contains(&pseudonym(self.last)) {
                return self.last;
            }
        }
    }

    /// The number of a person; one whom nobody told of gets the next.
    pub(super) fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.next();
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// Replaces every name and id in a text, in any case, where it is a word of its own.
    pub(super) fn replace(&self, text: &str) -> String {
        if let Some(number) = self.numbers.get(text) {
            return pseudonym(*number);
        }
        let low = text.to_ascii_lowercase();
        let bytes = low.as_bytes();
        let (mut replaced, mut kept, mut at) = (String::new(), 0, 0);
        while at < bytes.len() {
            let wanted = self.wanted.get(&bytes[at]);
            let found = wanted.into_iter().flatten().find(|(name, _)| {
                bytes[at..].starts_with(name.as_bytes()) && is_word(bytes, at, at + name.len())
            });
            match found {
                Some((name, number)) => {
                    replaced.push_str(&text[kept..at]);
                    replaced.push_str(&pseudonym(*number));
                    at += name.len();
                    kept = at;
                }
                None => at += 1,
            }
        }
        replaced.push_str(&text[kept..]);
        replaced
    }
}

pub(super) fn pseudonym(number: usize) -> String {
    format!("user-{number}")
}

fn root(groups: &[usize], mut place: usize) -> usize {
    while groups[place] != place {
        place = groups[place];
    }
    place
}

/// Says whether no letter or digit goes on beside it. Writing without blanks between words has no such borders.
fn is_word(bytes: &[u8], from: usize, to: usize) -> bool {
    let is_inside = |one: Option<&u8>, other: Option<&u8>| {
        one.zip(other).is_some_and(|(one, other)| {
            one.is_ascii_alphanumeric() && other.is_ascii_alphanumeric()
        })
    };
    let before = from.checked_sub(1).and_then(|place| bytes.get(place));
    !is_inside(before, bytes.get(from)) && !is_inside(bytes.get(to - 1), bytes.get(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(users: &[(&str, &str)]) -> People {
        let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let users = users.iter().map(|(id, name)| User {
            id: optional(id),
            name: optional(name),
        });
        People::new(&users.collect::<Vec<_>>())
    }

    #[test]
    fn names_and_ids_of_one_person_have_one_number() {
        let mut people = people(&[
            ("", ""),
            ("u-9", "zoe"),
            ("u-1", "ann"),
            ("u-1", "ann smith"),
            ("", "ann"),
            ("u-7", ""),
            ("u-8", "ann smith"),
            ("u-7", "bob"),
        ]);
        let cases = [
            ("zoe", 1),
            ("u-9", 1),
            ("ann", 2),
            ("ann smith", 2),
            ("u-1", 2),
            ("u-8", 2),
            ("bob", 3),
            ("u-7", 3),
            ("eve", 4),
            ("eve", 4),
            ("Ann", 5),
        ];
        for (text, expected) in cases {
            assert_eq!(people.number(text), expected, "{text}");
        }
    }

    #[test]
    fn nobody_gets_a_pseudonym_that_is_the_name_of_another() {
        let mut people = people(&[("", "ann"), ("", "User-2"), ("", "bob")]);
        let numbers = ["ann", "User-2", "bob"].map(|name| people.number(name));
        assert_eq!(numbers, [1, 3, 4]);
    }

    #[test]
    fn names_in_texts_are_replaced_where_they_are_words() {
        let people = people(&[
            ("d53b32a2", "ann"),
            ("", "ann smith"),
            ("", "王伟"),
            ("", "bo"),
            ("", "<b>&"),
        ]);
        let cases = [
            ("ann", "user-1"),
            ("by ANN, for D53B32A2.", "by user-1, for user-1."),
            ("ann smith and ann", "user-2 and user-1"),
            ("annex, joanna, ann1", "annex, joanna, ann1"),
            ("ann_1 ann@x", "user-1_1 user-1@x"),
            ("由王伟执行", "由user-3执行"),
            ("bo", "user-4"),
            ("bo or not", "bo or not"),
            ("x<b>&y", "xuser-5y"),
            ("é ann é", "é user-1 é"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(people.replace(text), expected, "{text}");
        }
    }
}
