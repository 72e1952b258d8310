//! How an input is changed: as a text, as one with brackets, and as JSON.

use serde_json::{Map, Value};

use super::Input;

/// Numbers at random, the same for the same seed (SplitMix64).
#[derive(Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`; 0 where that is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }

    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// How often something is said again.
const TIMES: [usize; 8] = [2, 2, 3, 5, 9, 33, 65, 300];
/// How deep something is nested.
const LEVELS: [usize; 8] = [1, 2, 9, 33, 101, 129, 1100, 9000];
const BRACKETS: [(&str, &str); 5] =
    [("(", ")"), ("[", "]"), ("{\"a\":", "}"), ("{{ if 1 }}", "{{ end }}"), ("\"", "\"")];
/// Beside letters: what splits, ends, or is longer than it looks.
const CHARACTERS: [char; 32] = [
    '0', '1', '9', 'e', 'x', '-', '+', '.', ',', ':', ';', '/', '\\', '"', '\'', '`', '$', '%', '*', '?',
    '@', '#', '|', '=', '<', ' ', '\n', '\r', '\u{0}', 'é', '\u{202e}', '😀',
];
const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "1",
    "-1",
    "63",
    "100",
    "101",
    "0.5",
    "1e400",
    "1e-400",
    "NaN",
    "2147483648",
    "-9223372036854775808",
    "9223372036854775807",
    "18446744073709551616",
    "00000000000000000000001",
];
const TEXTS: [&str; 14] = [
    "",
    " ",
    "*",
    "..",
    "a/b",
    "~0~1",
    "\u{0}",
    "http://[::1]:80/",
    "{{ target }}",
    "99999999h",
    "%2e%2e%2f",
    "app-primary",
    "app-canary",
    "\u{feff}",
];

/// Says a piece of one part again and again, or wraps a piece of it.
pub(super) fn grow(rng: &mut Rng, input: &mut Input, longest: usize) {
    let part = rng.below(input.len());
    let chars: Vec<char> = input[part].chars().collect();
    let unit = if rng.one_in(2) { balanced(rng, &chars) } else { None };
    let (from, to) = unit.unwrap_or_else(|| range(rng, chars.len()));
    let middle: String = chars[from..to].iter().collect();
    let (before, after) = if rng.one_in(4) { rng.pick(&BRACKETS) } else { ("", middle.as_str()) };
    let times = rng.pick(&TIMES).min(longest / (before.len() + after.len()).max(1));
    let grown = chars[..from].iter().copied().chain(before.repeat(times).chars().collect::<Vec<_>>());
    let grown = grown.chain(middle.chars()).chain(after.repeat(times).chars().collect::<Vec<_>>());
    let grown: String = grown.chain(chars[to..].iter().copied()).collect();
    if grown.len() <= longest {
        input[part] = grown;
    }
}

/// Changes one part in one way.
pub(super) fn mutate(rng: &mut Rng, input: &mut Input, words: &[&str], others: &[Input], longest: usize) {
    let part = rng.below(input.len());
    let other = others.get(rng.below(others.len())).and_then(|other| other.get(part)).cloned();
    let text = std::mem::take(&mut input[part]);
    let begins = text.trim_start().starts_with(['{', '[']);
    let structured =
        if begins && rng.one_in(2) { as_json(rng, &text, words, other.as_deref()) } else { None };
    let mut changed = structured.unwrap_or_else(|| as_text(rng, &text, words, other.as_deref(), longest));
    while changed.len() > longest {
        let mut end = longest;
        while !changed.is_char_boundary(end) {
            end -= 1;
        }
        changed.truncate(end);
    }
    input[part] = changed;
}

fn range(rng: &mut Rng, length: usize) -> (usize, usize) {
    let from = rng.below(length + 1);
    let most = if rng.one_in(4) { length } else { 8 };
    (from, (from + 1 + rng.below(most)).min(length).max(from))
}

/// From an opening bracket to the one that closes it.
fn balanced(rng: &mut Rng, text: &[char]) -> Option<(usize, usize)> {
    let opening: Vec<usize> = (0..text.len()).filter(|at| "([{".contains(text[*at])).collect();
    let from = *opening.get(rng.below(opening.len()))?;
    let mut open = 0_usize;
    for (at, c) in text.iter().enumerate().skip(from) {
        if "([{".contains(*c) {
            open += 1;
        } else if ")]}".contains(*c) {
            open = open.saturating_sub(1);
            if open == 0 {
                return Some((from, at + 1));
            }
        }
    }
    None
}

fn as_text(rng: &mut Rng, text: &str, words: &[&str], other: Option<&str>, longest: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let unit = if rng.one_in(2) { balanced(rng, &chars) } else { None };
    let (from, to) = unit.unwrap_or_else(|| range(rng, chars.len()));
    let (head, middle, tail): (String, String, String) =
        (chars[..from].iter().collect(), chars[from..to].iter().collect(), chars[to..].iter().collect());
    let joined = |new: &str| format!("{head}{new}{tail}");
    match rng.below(10) {
        0 => joined(""),
        1 => {
            let times = rng.pick(&TIMES).min(longest / middle.len().max(1) + 1);
            joined(&middle.repeat(times))
        }
        2 | 3 => {
            let word = phrase(rng, words);
            if rng.one_in(2) { format!("{head}{word}{middle}{tail}") } else { joined(&word) }
        }
        4 => joined(&rng.pick(&CHARACTERS).to_string()),
        5 => number(rng, text).unwrap_or_else(|| joined(rng.pick(&NUMBERS))),
        6 => {
            let (open, close) = rng.pick(&BRACKETS);
            let levels = rng.pick(&LEVELS).min(longest / (open.len() + close.len()));
            let close = if rng.one_in(8) { "" } else { close };
            format!("{head}{}{middle}{}{tail}", open.repeat(levels), close.repeat(levels))
        }
        7 => {
            let foreign: Vec<char> = other.unwrap_or_default().chars().collect();
            let unit = if rng.one_in(2) { balanced(rng, &foreign) } else { None };
            let (from, to) = unit.unwrap_or_else(|| range(rng, foreign.len()));
            joined(&foreign[from..to].iter().collect::<String>())
        }
        8 => other.filter(|_| rng.one_in(3)).map_or_else(|| joined(rng.pick(&TEXTS)), str::to_owned),
        _ => {
            // the piece stands in another place as well
            let at = rng.below(chars.len() + 1);
            let (head, tail): (String, String) = (chars[..at].iter().collect(), chars[at..].iter().collect());
            format!("{head}{middle}{tail}")
        }
    }
}

/// A few words.
fn phrase(rng: &mut Rng, words: &[&str]) -> String {
    if words.is_empty() {
        return rng.pick(&TEXTS).to_owned();
    }
    let between = if rng.one_in(2) { " " } else { "" };
    let count = 1 + rng.below(3);
    (0..count).map(|_| rng.pick(words)).collect::<Vec<_>>().join(between)
}

/// Another number in the place of one.
fn number(rng: &mut Rng, text: &str) -> Option<String> {
    let digits = |c: char| c.is_ascii_digit();
    let starts: Vec<usize> = text
        .char_indices()
        .filter(|(at, c)| digits(*c) && !text[..*at].ends_with(digits))
        .map(|(at, _)| at)
        .collect();
    let from = *starts.get(rng.below(starts.len()))?;
    let length = text[from..].find(|c| !digits(c)).unwrap_or(text.len() - from);
    Some(format!("{}{}{}", &text[..from], rng.pick(&NUMBERS), &text[from + length..]))
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// The value at this place, counted from the front.
fn at<'v>(value: &'v mut Value, place: &mut usize) -> Option<&'v mut Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| at(item, place)),
        Value::Object(members) => members.values_mut().find_map(|member| at(member, place)),
        _ => None,
    }
}

/// Changes one value. None: it is no JSON.
fn as_json(rng: &mut Rng, text: &str, words: &[&str], other: Option<&str>) -> Option<String> {
    let mut whole: Value = serde_json::from_str(text).ok()?;
    let mut place = rng.below(count(&whole));
    let foreign = other.and_then(|other| serde_json::from_str::<Value>(other).ok());
    let value = at(&mut whole, &mut place)?;
    match rng.below(8) {
        0 | 1 => *value = small(rng, words),
        2 => {
            if let Some(mut foreign) = foreign {
                let mut place = rng.below(count(&foreign));
                *value = at(&mut foreign, &mut place).map(Value::take).unwrap_or_default();
            }
        }
        3 => {
            let inner = value.take();
            *value = if rng.one_in(2) {
                Value::Array(vec![inner])
            } else {
                Map::from_iter([("a".to_owned(), inner)]).into()
            };
        }
        _ => within(rng, value, words),
    }
    Some(whole.to_string())
}

/// Adds, takes away or repeats members.
fn within(rng: &mut Rng, value: &mut Value, words: &[&str]) {
    match value {
        Value::Array(items) if items.is_empty() || rng.one_in(4) => items.push(small(rng, words)),
        Value::Array(items) => {
            let place = rng.below(items.len());
            if rng.one_in(3) {
                items.remove(place);
            } else {
                let again = vec![items[place].clone(); rng.pick(&TIMES)];
                items.extend(again);
            }
        }
        Value::Object(members) if members.is_empty() || rng.one_in(2) => {
            let name = if words.is_empty() { rng.pick(&TEXTS) } else { rng.pick(words) };
            members.insert(name.to_owned(), small(rng, words));
        }
        Value::Object(members) => {
            let name = members.keys().nth(rng.below(members.len())).cloned().unwrap_or_default();
            members.remove(&name);
        }
        scalar => *scalar = small(rng, words),
    }
}

fn small(rng: &mut Rng, words: &[&str]) -> Value {
    match rng.below(9) {
        0 => Value::Null,
        1 => Value::Bool(rng.one_in(2)),
        2 | 3 => serde_json::from_str(rng.pick(&NUMBERS)).unwrap_or_else(|_| Value::from(7)),
        4 => Value::Array(vec![]),
        5 => Value::Object(Map::new()),
        6 if !words.is_empty() => Value::from(rng.pick(words)),
        7 => Value::from(rng.pick(&NUMBERS)),
        _ => Value::from(rng.pick(&TEXTS)),
    }
}
