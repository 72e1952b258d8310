//! Inputs that nobody thought of, for every parser of what comes from outside: texts of users, answers of servers, objects of
//! others. Inputs are changed at random, and those that do something new are changed further; so are those that take more memory
//! than any before, by which bombs are found. An input fails if it panics, holds or makes too much, takes too long, or breaks a
//! promise that its target checks.
//!
//! As a test, each target is given a few hundred inputs of a fixed seed. `make fuzz SECONDS=60` searches: each target in a
//! process of its own, which may die. A target is a test beside what it is about, named `fuzz_…`, that calls [`fuzz`].
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what is fuzzed is watched by the clock, in processes that are told by their environment what to do"
)]

mod corpus;
mod minimise;
mod mutate;
mod process;
mod search;
mod targets;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

pub(crate) use corpus::{examples, literals, singly};

/// Inputs of each target in an ordinary test, beside its seeds.
const SAMPLE: u64 = 300;
/// Room for the stack, as threads of the operator have it.
const STACK: usize = 2 << 20;

/// What one execution is given: the parts that its target reads.
pub(crate) type Input = Vec<String>;

/// What is done with an input. Ok: what came of it, in words, by which inputs that do something new are known. Err: a promise that
/// was broken.
pub(crate) type Act<'a> = &'a (dyn Fn(&[String]) -> Result<String, String> + Sync);

/// What is known of a parser.
pub(crate) struct Target {
    /// Inputs to begin with, from fixtures of the tests.
    pub(crate) seeds: Vec<Input>,
    /// Words of its language.
    pub(crate) words: &'static [&'static str],
    /// Longest part, in bytes.
    pub(crate) longest: usize,
    /// Most bytes that are held at a time: in any case, and for each byte of the input.
    pub(crate) held: (u64, u64),
    /// Most allocations, which stand for the time that it takes: in any case, and for each byte of the input.
    pub(crate) made: (u64, u64),
}

/// Why an input fails.
#[derive(Clone, Debug, PartialEq)]
enum Fault {
    Panics(String),
    Breaks(String),
    Holds(u64, u64),
    Makes(u64, u64),
    Dies(String),
}

impl Fault {
    /// It fails for the same reason.
    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panics(said) => write!(f, "it panics: {said}"),
            Self::Breaks(said) => write!(f, "it breaks a promise: {said}"),
            Self::Holds(bytes, most) => write!(f, "it holds {bytes} bytes at a time, of {most} that it may"),
            Self::Makes(count, most) => write!(f, "it makes {count} allocations, of {most} that it may"),
            Self::Dies(said) => write!(f, "its process ends: {said}"),
        }
    }
}

/// What came of one execution.
struct Run {
    outcome: Result<String, Fault>,
    held: u64,
    made: u64,
}

impl Target {
    fn run(&self, act: Act<'_>, input: &[String]) -> Run {
        let mut said = None;
        let taken = allocation_counter::measure(|| {
            said = Some(catch_unwind(AssertUnwindSafe(|| act(input))));
        });
        let length: u64 = input.iter().map(|part| part.len() as u64).sum();
        let most = |(any, each): (u64, u64)| any + each * length;
        let outcome = match said {
            None => Err(Fault::Panics("nothing came of it".into())),
            Some(Err(payload)) => Err(Fault::Panics(words_of(payload.as_ref()))),
            Some(Ok(Err(broken))) => Err(Fault::Breaks(broken)),
            Some(Ok(Ok(_))) if taken.bytes_max > most(self.held) => {
                Err(Fault::Holds(taken.bytes_max, most(self.held)))
            }
            Some(Ok(Ok(_))) if taken.count_total > most(self.made) => {
                Err(Fault::Makes(taken.count_total, most(self.made)))
            }
            Some(Ok(Ok(outcome))) => Ok(outcome),
        };
        Run { outcome, held: taken.bytes_max, made: taken.count_total }
    }
}

fn words_of(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".into())
}

/// Gives inputs to what is fuzzed, as the environment says: see [`process::Mode`].
///
/// # Panics
/// An input fails.
pub(crate) fn fuzz(name: &str, target: impl FnOnce() -> Target, act: Act<'_>) {
    let Some(mode) = process::Mode::of(name) else { return };
    if let process::Mode::Parent { seconds } = mode {
        return process::search(name, seconds);
    }
    let target = target();
    let found = std::thread::scope(|scope| {
        let work = || mode.carry_out(name, &target, act);
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.unwrap().join().unwrap()
    });
    if let Some(found) = found {
        panic!("{found}");
    }
}

/// What is said to people is one line, and not a long one.
pub(crate) fn is_short(what: &str, said: &str) -> Result<(), String> {
    if said.len() > 1200 || said.contains(char::is_control) {
        return Err(format!("what is said of {what} is long, or more than a line: {said:?}"));
    }
    Ok(())
}

mod tests {
    use super::*;

    /// A parser with three faults, each of which takes a few steps to reach.
    fn faulty(text: &str) -> Result<String, String> {
        let depth = text.chars().take_while(|c| *c == '(').count();
        let doubled = 1_usize << text.matches("dup").count().min(24);
        drop(vec![0_u8; doubled]);
        assert!(depth < 60, "too deep");
        if text.contains("dup)") { Err("dup is closed".into()) } else { Ok(format!("{}", depth.min(9))) }
    }

    fn target(seed: &str) -> Target {
        Target {
            seeds: vec![vec![seed.into()]],
            words: &["dup"],
            longest: 4096,
            held: (1 << 20, 64),
            made: (1000, 10),
        }
    }

    #[test]
    fn faults_are_found_and_made_small() {
        let kinds = [
            ("((a))", Fault::Panics(String::new()), 60),
            ("dup dup", Fault::Holds(0, 0), 63),
            ("dup a)", Fault::Breaks(String::new()), 4),
        ];
        for (seed, kind, most) in kinds {
            let act = |input: &[String]| {
                let said = faulty(&input[0]);
                // of the three only the one that is looked for
                match kind {
                    Fault::Breaks(_) => said,
                    _ => said.or(Ok(String::new())),
                }
            };
            let target = target(seed);
            let mut search = search::Search::new(&target, &act, 1);
            let found =
                (0..50_000).find_map(|_| search.step(&|_| {}).filter(|(_, fault)| fault.is_like(&kind)));
            let (input, fault) = found.unwrap_or_else(|| panic!("{kind:?} is not found"));
            let small = minimise::smallest(input, 2000, &|input| {
                target.run(&act, input).outcome.is_err_and(|other| other.is_like(&fault))
            });
            assert!(small[0].len() <= most, "{kind:?}: {small:?}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_inputs_again() {
        let inputs = |seed| {
            let target = target("(dup)");
            let seen = std::cell::RefCell::new(Vec::new());
            let act = |_: &[String]| Ok(String::new());
            let mut search = search::Search::new(&target, &act, seed);
            for _ in 0..50 {
                search.step(&|input| seen.borrow_mut().push(input.to_vec()));
            }
            seen.into_inner()
        };
        assert_eq!(inputs(7), inputs(7));
        assert_ne!(inputs(7), inputs(8));
    }

    #[test]
    fn texts_of_a_test_are_read_but_for_its_bombs() {
        let code = r##"fn a() { b("x\n\"y\"", r#"{"z": 1}"#, 'c', "é\u{41}"); }
            #[test]
            fn f3_bomb() { b("bomb"); }
            fn d() { e("last"); } // "no"
        "##;
        assert_eq!(literals(code), ["x\n\"y\"", r#"{"z": 1}"#, "éA", "last"]);
    }
}
