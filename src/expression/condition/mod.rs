//! A condition: how it is parsed and evaluated.

mod calls;
mod check;
mod constant;
mod eval;
mod fault;
mod joined;
mod lex;
mod names;
mod parse;
mod tree;

use self::{
    check::{Checker, Kind, MOST_SERIES, Use},
    eval::{MOST_STEPS, Stop},
    fault::Fault,
    tree::{Expr, Shape},
};

/// Longest text, in bytes; the schema has the same limit.
pub(super) const LONGEST: usize = 512;

/// A condition that can be evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    root: Expr,
    canary: Use,
    primary: Use,
    absence: bool,
    oddity: bool,
    two_names: bool,
}

/// The answer of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It compares something that is not a number, such as 0/0: this part of its text.
    NotANumber(String),
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What is wrong with it, in one line, with the position.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} characters"));
        }
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty".into());
        }
        Self::read(text).map_err(|fault| fault.shown(text))
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let mut root = parse::parse(text)?;
        let mut checker = Checker::default();
        let kind = checker.kind(&mut root, Shape::Value)?;
        if kind != Kind::Truth {
            let what = format!("it yields {}, where true or false is wanted", kind.shown());
            return Err(Fault::new(root.from, what));
        }
        let Checker { canary, primary, absence, oddity, two_names, .. } = checker;
        if !canary.named {
            return Err(Fault::new(0, "it does not depend on the measured value: name result"));
        }
        Ok(Self { text: text.to_owned(), root, canary, primary, absence, oddity, two_names })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// It also uses the primary.
    pub fn compares(&self) -> bool {
        self.primary.named
    }

    /// It calls the canary's values both result and canary.
    pub(crate) fn has_two_names(&self) -> bool {
        self.two_names
    }

    /// It decides itself what a query means that has no data, because it has no values or because some of these are no
    /// numbers.
    pub fn knows_absence(&self, values: &[f64]) -> bool {
        self.absence || self.oddity && !values.is_empty()
    }

    /// Has the same meaning as another one.
    pub fn same_as(&self, other: &Self) -> bool {
        let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        plain(&self.text) == plain(&other.text)
    }

    /// Whether it holds, once for each series if it refers to one of them. Never empty.
    ///
    /// # Errors
    /// It has no answer for these values.
    pub fn holds(&self, canary: &[f64], primary: &[f64]) -> Result<Vec<Answer>, String> {
        if canary.len().max(primary.len()) > MOST_SERIES {
            return Err(format!("the query yields more than {MOST_SERIES} series"));
        }
        if self.primary.element && primary.len() > 1 {
            return Err(format!(
                "the query yields {} series for the primary, and which of them belongs to which of the canary's is not known: let both queries yield one, as with sum, or compare with max(primary)",
                primary.len()
            ));
        }
        let each = self.canary.element && !self.canary.placed && canary.len() > 1;
        let turns = if each { canary.len() } else { 1 };
        let mut values = canary.to_vec();
        let mut steps = MOST_STEPS;
        let mut all = Vec::with_capacity(turns);
        for _ in 0..turns {
            all.push(match eval::answer(&self.root, &values, primary, &mut steps) {
                Ok(true) => Answer::Yes,
                Ok(false) => Answer::No,
                Err(Stop::NotANumber(from, to)) => {
                    Answer::NotANumber(self.text.get(from..to).unwrap_or(&self.text).trim().to_owned())
                }
                Err(Stop::Error(what)) => return Err(what),
            });
            if each {
                values.rotate_left(1);
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests;
