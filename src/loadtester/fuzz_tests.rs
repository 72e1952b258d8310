//! Command lines of tasks and hooks.

use super::{
    COMMANDS,
    command::{Policy, Work},
};
use crate::tests::fuzz::{Target, fuzz, is_short, literals, singly};

/// A word as it is quoted for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Words of this language.
const WORDS: &[&str] = &[
    "curl",
    "hey",
    "wrk",
    "ghz",
    "grep",
    "jq",
    "grpc_health_probe",
    " -",
    " --",
    "=",
    "-o",
    "-K",
    "--config",
    "-s",
    "file://",
    "http://a",
    "@",
    "|",
    "||",
    "&&",
    ";",
    "$(",
    "`",
    "$HOME",
    "~",
    "#",
    "'",
    "\"",
    "\\",
    "\n",
    "*",
    ">",
    "-H",
    "--data",
    "-z 1m",
    "--unix-socket",
    "/etc/passwd",
    "{a,b}",
];

#[test]
fn fuzz_commands() {
    let target = || {
        let mut texts = literals(include_str!("command.rs"));
        texts.extend(literals(include_str!("arguments.rs")));
        texts.extend(literals(include_str!("tests.rs")));
        Target {
            seeds: singly(texts),
            words: WORDS,
            longest: 16 * 1024,
            held: (128 << 10, 64),
            made: (2000, 4),
        }
    };
    let policy = Policy {
        any: false,
        listed: COMMANDS.map(String::from).into(),
        any_argument: std::collections::BTreeSet::new(),
    };
    fuzz("commands", target, &|input| {
        let work = match policy.admit(&input[0], "sh") {
            Ok(work) => work,
            Err(why) => {
                // what was written is repeated
                let said: String = why.chars().filter(|c| !c.is_control()).take(300).collect();
                return is_short("a command", &said).map(|()| said);
            }
        };
        let Work::Pipe(pipe) = &work else { return Err("a shell is given it".into()) };
        if let Some(other) =
            pipe.iter().find(|words| !COMMANDS.contains(&words.first().map_or("", String::as_str)))
        {
            return Err(format!("{other:?} may run"));
        }
        let commands =
            pipe.iter().map(|words| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
        let again = policy.admit(&commands.collect::<Vec<_>>().join(" | "), "sh");
        if again.as_ref() != Ok(&work) {
            return Err(format!("written again it is {again:?}, and not {work:?}"));
        }
        let words: usize = pipe.iter().map(Vec::len).sum();
        Ok(format!("{} {}", "I".repeat(pipe.len().min(9)), "I".repeat(words.min(20))))
    });
}
