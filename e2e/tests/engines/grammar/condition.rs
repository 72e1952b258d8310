//! Conditions with every operator, function and loop, over any number of series.

use super::damaged;
use crate::{
    generated::{Random, one_series},
    original::Case,
};

const PIECES: [&str; 24] = [
    "(", ")", "[", "]", "!", "-", "&&", "||", "and ", "not ", "<", ">", "=", "0", "1", ".", ",", "?", ":",
    " ", "result", "in ", "'", "#",
];

pub(crate) fn condition(random: &mut Random) -> Vec<Case> {
    let text = truth(random, 4);
    let text = damaged(random, text, &PIECES);
    if mixes(&text) {
        return vec![];
    }
    let pick = |random: &mut Random, most: usize| -> Vec<f64> {
        let choices = [0.0, 0.5, 1.0, 2.0, 0.95, -1.0, 100.0, 0.1, 3.0, f64::NAN, f64::INFINITY];
        let count = random.below(most + 1);
        let mut all = Vec::new();
        for _ in 0..count {
            let odd = usize::from(random.below(3) > 0) * 2;
            all.push(choices[random.below(choices.len() - odd)]);
        }
        all
    };
    let (values, primary) = (pick(random, 3), pick(random, 1));
    // JSON has no infinity
    let finite = |all: &[f64]| all.iter().all(|v| !v.is_infinite());
    if !finite(&values) || !finite(&primary) || primary.is_empty() {
        return vec![];
    }
    one_series(random, &text, &values, &primary)
}

/// It uses the name of a list as a number, because of a mistake. expr-lang then compares a list with a number, which is
/// false; in Serin the name is both.
fn mixes(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    ["result", "canary", "primary"].into_iter().any(|name| {
        text.match_indices(name).any(|(at, _)| {
            let (before, behind) = (text[..at].trim_end(), text[at + name.len()..].trim_start());
            let listed = before.ends_with(" in")
                || before.ends_with('(') && before.trim_end_matches('(').ends_with(inside);
            !behind.starts_with(['[', '.']) && !listed && !before.ends_with(inside)
        })
    })
}

fn truth(random: &mut Random, depth: usize) -> String {
    let depth = depth.saturating_sub(1);
    match random.below(if depth == 0 { 2 } else { 13 }) {
        2 => format!(
            "({}) {} ({})",
            truth(random, depth),
            random.of(&["&&", "||", "and", "or"]),
            truth(random, depth)
        ),
        3 => format!("{}({})", random.of(&["!", "not ", "not"]), truth(random, depth)),
        4 | 5 => {
            format!(
                "{} {} {}",
                truth(random, depth),
                random.of(&["&&", "||", "and", "or"]),
                truth(random, depth)
            )
        }
        6 => format!(
            "{}.{}(x, {})",
            list(random, depth),
            random.of(&["all", "exists", "exists_one"]),
            truth(random, depth).replace("result[0]", "x")
        ),
        7 => format!("{}({})", random.of(&["isNaN", "isInf", "isNil"]), number(random, depth)),
        8 => format!(
            "{} {} [{}, {}]",
            number(random, depth),
            random.of(&["in", "not in"]),
            number(random, depth),
            number(random, depth)
        ),
        9 => format!("({} ? {} : {})", truth(random, depth), truth(random, depth), truth(random, depth)),
        10 => format!("{} {} {}", number(random, depth), random.of(&["in", "not in"]), list(random, depth)),
        11 => format!(
            "{} {} ({})",
            random.of(&["true", "false", "(result[0] > 1)"]),
            random.of(&["==", "!="]),
            truth(random, depth)
        ),
        _ => format!(
            "{}{}{}",
            number(random, depth),
            random.of(&[" < ", "<=", " > ", ">= ", "==", " != "]),
            number(random, depth)
        ),
    }
}

fn list(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 2 } else { 5 }) {
        2 => {
            format!("result.filter(x, x {} {})", random.of(&["<", ">=", "!="]), random.of(&["0.5", "1", "0"]))
        }
        3 => format!("result.map(x, {})", random.of(&["x * 2", "x - 1", "-x", "x / 2", "x"])),
        4 => format!("[{}, {}]", number(random, 1), number(random, 1)),
        _ => random.of(&["result", "canary", "primary"]).to_owned(),
    }
}

fn number(random: &mut Random, depth: usize) -> String {
    let depth = depth.saturating_sub(1);
    match random.below(if depth == 0 { 5 } else { 14 }) {
        0..=2 => "result[0]".into(),
        3 => random.of(&["0", "1", "2", "0.5", "0.95", "1.0", "1e2", "10"]).into(),
        4 => random.of(&["primary[0]", "result[1]", "canary[0]", "-result[0]", "result[-1]", "- 1"]).into(),
        5 => {
            let function =
                random.of(&["len", "max", "min", "sum", "mean", "size", "median", "first", "last"]);
            format!("{function}({})", list(random, depth))
        }
        6..=8 => {
            let sign = random.of(&[" + ", "-", " * ", "/", "+", " - ", " / "]);
            format!("{}{sign}{}", number(random, depth), number(random, depth))
        }
        9 => format!("({})", number(random, depth)),
        10 => format!(
            "{}({})",
            random.of(&["abs", "round", "floor", "ceil", "int", "asFloat", "float", "asInt", "double"]),
            number(random, depth)
        ),
        11 => format!("({} ? {} : {})", truth(random, depth), number(random, depth), number(random, depth)),
        12 => format!(
            "{}({}, {})",
            random.of(&["max", "min", "default"]),
            number(random, depth),
            number(random, depth)
        ),
        _ => format!("-{}", number(random, depth)),
    }
}
