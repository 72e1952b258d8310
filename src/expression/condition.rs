//! A condition: how it is read and what it answers.

use cel::{IdedExpr, Value, parser::PrattParser};

use super::{
    expr::{self, Found, Use, brackets, deep, defaults, fractions, words},
    functions,
};
use crate::text::first_chars;

/// Longest text, in bytes; the schema says the same.
pub(super) const LONGEST: usize = 512;
/// Deepest nesting, and of brackets.
const DEEPEST: u16 = 32;
const BRACKETS: usize = 16;
/// Deepest tree, which a sum of so many terms is as well.
const MOST_DEEP: usize = 20;
/// Most series that a condition is asked about.
pub(super) const MOST_SERIES: usize = 100;

/// A condition that can be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    root: IdedExpr,
    canary: Use,
    primary: Use,
    absence: bool,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What is wrong with it, in a line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} characters"));
        }
        if brackets(text) > BRACKETS {
            return Err(format!("it has more than {BRACKETS} brackets inside one another"));
        }
        let parser = PrattParser::new().max_recursion_depth(DEEPEST);
        let mut root = parser.parse(&words(text)).map_err(|errors| in_a_line(&errors.to_string()))?;
        if deep(&root) > MOST_DEEP {
            return Err("it is nested too deep, or has too many terms in a row".into());
        }
        let mut found = Found::default();
        found.expr(&root, 0)?;
        fractions(&mut root);
        let [canary, primary] = [found.canary, found.primary];
        if !canary.named {
            return Err("it does not depend on the measured value: name result".into());
        }
        let condition = Self { text: text.trim().to_owned(), root, canary, primary, absence: found.absence };
        condition.try_out()?;
        Ok(condition)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// It is about the primary as well.
    pub fn compares(&self) -> bool {
        self.primary.named
    }

    /// It says itself what a query without data means.
    pub fn knows_absence(&self) -> bool {
        self.absence
    }

    /// Says the same as another one.
    pub fn same_as(&self, other: &Self) -> bool {
        let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        plain(&self.text) == plain(&other.text)
    }

    /// Whether it holds, once for each series where it looks at one. Never empty.
    ///
    /// # Errors
    /// It has no answer for these values.
    pub fn holds(&self, canary: &[f64], primary: &[f64]) -> Result<Vec<bool>, String> {
        if canary.len().max(primary.len()) > MOST_SERIES {
            return Err(format!("the query yields more than {MOST_SERIES} series"));
        }
        let each = !(self.canary.list && self.canary.placed) && canary.len() > 1;
        let turns = if each { canary.len() } else { 1 };
        let mut all = Vec::with_capacity(turns);
        for turn in 0..turns {
            let mut values = canary.to_vec();
            values.rotate_left(turn);
            all.push(self.once(&values, primary)?);
        }
        Ok(all)
    }

    fn once(&self, canary: &[f64], primary: &[f64]) -> Result<bool, String> {
        let mut cx = functions::scope()?;
        for name in expr::CANARY {
            cx.add_variable_from_value(name, bound(self.canary, canary));
        }
        cx.add_variable_from_value(expr::PRIMARY, bound(self.primary, primary));
        cx.add_variable_from_value("nil", Value::Null);
        let mut root = self.root.clone();
        defaults(&mut root, &cx);
        match cx.resolve(&root) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(other) => Err(format!("it yields {}, where true or false is wanted", kind(&other))),
            Err(error) => Err(in_a_line(&error.to_string())),
        }
    }

    /// Over a few values, one of which it has to have an answer for. What is wrong with its types shows here.
    fn try_out(&self) -> Result<(), String> {
        let tries: [&[f64]; 5] = [&[0.5], &[1.0, 2.0, 3.0, 4.0], &[99.0; 16], &[f64::NAN], &[]];
        let mut wrong = String::new();
        for values in tries {
            match self.once(values, &[1.0; 16]) {
                Ok(_) => return Ok(()),
                Err(why) if wrong.is_empty() => wrong = why,
                Err(_) => {}
            }
        }
        Err(wrong)
    }
}

fn bound(how: Use, values: &[f64]) -> Value {
    if how.list {
        return Value::List(values.iter().map(|v| Value::Float(*v)).collect::<Vec<_>>().into());
    }
    values.first().map_or(Value::Null, |v| Value::Float(*v))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Float(_) | Value::Int(_) | Value::UInt(_) => "a number",
        Value::String(_) => "a text",
        Value::List(_) => "a list",
        Value::Null => "nothing",
        _ => "something else",
    }
}

fn in_a_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    first_chars(line.trim_start_matches("ERROR: <input>:"), 200).to_owned()
}
