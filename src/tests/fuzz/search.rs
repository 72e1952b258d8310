//! The search: which inputs are changed, and which are kept.

use std::collections::{BTreeSet, VecDeque};

use super::{
    Act, Fault, Input, Target,
    mutate::{Rng, grow, mutate},
};
use crate::names;

/// Most inputs that are kept to be changed.
const KEPT: usize = 2000;

/// Inputs that are kept because they held or made most.
const HEAVIEST: usize = 12;
/// Characters of an outcome by which it is known.
const FORM: usize = 28;

/// A search, as far as it has come.
pub(super) struct Search<'a> {
    target: &'a Target,
    act: Act<'a>,
    rng: Rng,
    /// Seeds that are to be tried yet, the next one last.
    untried: Vec<Input>,
    kept: Vec<Input>,
    /// What inputs have done.
    seen: BTreeSet<(u64, u32, u32)>,
    /// Those that held or made more than any before, the last ones.
    heaviest: VecDeque<Input>,
    /// Inputs so far.
    pub(super) executions: u64,
    /// Most bytes that one held.
    pub(super) held: u64,
    /// Most allocations that one made.
    pub(super) made: u64,
}

impl<'a> Search<'a> {
    pub(super) fn new(target: &'a Target, act: Act<'a>, seed: u64) -> Self {
        let mut untried = target.seeds.clone();
        untried.reverse();
        Self {
            target,
            act,
            rng: Rng::new(seed),
            untried,
            kept: Vec::new(),
            seen: BTreeSet::new(),
            heaviest: VecDeque::new(),
            executions: 0,
            held: 0,
            made: 0,
        }
    }

    /// Seeds that are to be tried yet.
    pub(super) fn seeds_left(&self) -> usize {
        self.untried.len()
    }

    /// So many inputs did something new.
    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Tries one input, of which `before` is told first. Some: it fails.
    pub(super) fn step(&mut self, before: &dyn Fn(&[String])) -> Option<(Input, Fault)> {
        let input = self.untried.pop().unwrap_or_else(|| self.next());
        before(&input);
        self.executions += 1;
        let run = self.target.run(self.act, &input);
        let outcome = match run.outcome {
            Ok(outcome) => outcome,
            Err(fault) => return Some((input, fault)),
        };
        if run.held > self.held || run.made > self.made {
            self.heaviest.push_back(input.clone());
            if self.heaviest.len() > HEAVIEST {
                self.heaviest.pop_front();
            }
        }
        (self.held, self.made) = (self.held.max(run.held), self.made.max(run.made));
        let did = (names::checksum(&form(&outcome)), run.held.max(1).ilog2(), run.made.max(1).ilog2());
        if self.seen.insert(did) {
            self.keep(input);
        }
        None
    }

    fn keep(&mut self, input: Input) {
        if self.kept.len() < KEPT {
            self.kept.push(input);
        } else {
            let at = self.rng.below(KEPT);
            self.kept[at] = input;
        }
    }

    /// Another one, made of those that are known: bombs are made larger, others are changed.
    fn next(&mut self) -> Input {
        if self.rng.one_in(3) && !self.heaviest.is_empty() {
            let mut input = self.heaviest[self.rng.below(self.heaviest.len())].clone();
            for _ in 0..=self.rng.below(2) {
                grow(&mut self.rng, &mut input, self.target.longest);
            }
            return if self.rng.one_in(2) { input } else { self.changed(input) };
        }
        let mut input = self.known();
        let part = self.rng.below(input.len());
        if self.rng.one_in(4) {
            input[part] = self.known().swap_remove(part);
        }
        self.changed(input)
    }

    /// One that did something new, rather a short one.
    fn known(&mut self) -> Input {
        let recent = if self.rng.one_in(3) { self.kept.len().saturating_sub(20) } else { 0 };
        let mut one = || self.kept.get(recent + self.rng.below(self.kept.len() - recent)).cloned();
        let size = |input: &Input| input.iter().map(String::len).sum::<usize>();
        let all: Vec<Input> = [one(), one()].into_iter().flatten().collect();
        let short = all.into_iter().min_by_key(size);
        short.unwrap_or_else(|| vec![String::new(); self.target.seeds.first().map_or(1, Vec::len)])
    }

    fn changed(&mut self, mut input: Input) -> Input {
        for _ in 0..=self.rng.below(4) {
            mutate(&mut self.rng, &mut input, self.target.words, &self.kept, self.target.longest);
        }
        input
    }
}

/// An outcome without what is quoted in it and its numbers: two of one form are the same.
fn form(outcome: &str) -> String {
    let plain = outcome.split(['"', '`']).step_by(2).flat_map(str::chars);
    plain.filter(|c| c.is_ascii_alphabetic() || " {}[]:".contains(*c)).take(FORM).collect()
}
