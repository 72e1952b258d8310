//! The answer of a checked condition.

use std::borrow::Cow;

use super::tree::{Expr, Function, Loop, Node, Operator, Shape, Side};

/// Most expressions that are evaluated for the answers about all series.
pub(super) const MOST_STEPS: u32 = 500_000;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The value there is not a number, so it is neither less nor more than anything.
    NotANumber(usize, usize),
    Error(String),
}

/// The result of an expression.
#[derive(Clone, Debug, PartialEq)]
enum Value<'v> {
    Number(f64),
    Truth(bool),
    Nothing,
    Numbers(Cow<'v, [f64]>),
    Truths(Vec<bool>),
}

/// Whether it holds. What it takes is subtracted from `steps`.
pub(super) fn answer(root: &Expr, canary: &[f64], primary: &[f64], steps: &mut u32) -> Result<bool, Stop> {
    let mut evaluator = Evaluator { canary, primary, each: None, steps: *steps };
    let answer = evaluator.truth(root);
    *steps = evaluator.steps;
    answer
}

/// For expressions without anything measured.
fn unmeasured() -> Evaluator<'static> {
    Evaluator { canary: &[], primary: &[], each: None, steps: MOST_STEPS }
}

/// The number that an expression without anything measured yields, if it yields one.
pub(super) fn constant(expr: &Expr) -> Option<f64> {
    unmeasured().number(expr).ok()
}

/// Two expressions without anything measured yield the same.
pub(super) fn same_constants(a: &Expr, b: &Expr) -> bool {
    matches!((unmeasured().value(a), unmeasured().value(b)), (Ok(a), Ok(b)) if a == b)
}

/// How a number compares with an expression without anything measured.
pub(super) fn compared(operator: Operator, n: f64, limit: &Expr) -> Option<bool> {
    let number = Expr { from: 0, to: 0, node: Node::Number(n) };
    match unmeasured().binary(operator, &number, limit) {
        Ok(Value::Truth(answer)) => Some(answer),
        _ => None,
    }
}

struct Evaluator<'v> {
    canary: &'v [f64],
    primary: &'v [f64],
    each: Option<Value<'v>>,
    steps: u32,
}

fn error<T>(what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Error(what.into()))
}

impl<'v> Evaluator<'v> {
    fn value(&mut self, expr: &Expr) -> Result<Value<'v>, Stop> {
        let Some(steps) = self.steps.checked_sub(1) else {
            return error(format!("it takes more than {MOST_STEPS} steps"));
        };
        self.steps = steps;
        Ok(match &expr.node {
            Node::Number(n) => Value::Number(*n),
            Node::Truth(yes) => Value::Truth(*yes),
            Node::Series(side, shape) => {
                let values = if *side == Side::Canary { self.canary } else { self.primary };
                match shape {
                    Shape::List => Value::Numbers(Cow::Borrowed(values)),
                    Shape::Value => values.first().map_or(Value::Nothing, |n| Value::Number(*n)),
                }
            }
            Node::Each => self.each.clone().unwrap_or(Value::Nothing),
            Node::List(items) => self.list(items)?,
            Node::Index(list, place) => self.index(list, place)?,
            Node::Not(of) => Value::Truth(!self.truth(of)?),
            Node::Minus(of) => Value::Number(-self.number(of)?),
            Node::Binary(operator, left, right) => self.binary(*operator, left, right)?,
            Node::Choice(parts) => {
                let [asked, yes, no] = parts;
                let part = if self.truth(asked)? { yes } else { no };
                self.value(part)?
            }
            Node::Function(function, arguments) => self.function(*function, arguments)?,
            Node::Loop(kind, list, body) => self.each_of(*kind, list, body)?,
            Node::Default(value, instead) => match self.value(value) {
                Err(Stop::Error(_)) | Ok(Value::Nothing) => self.value(instead)?,
                Ok(Value::Numbers(list)) if list.is_empty() => self.value(instead)?,
                other => other?,
            },
            Node::Nothing | Node::Text | Node::Name(_) | Node::Call(..) | Node::Method(..) => Value::Nothing,
        })
    }

    fn truth(&mut self, expr: &Expr) -> Result<bool, Stop> {
        match self.value(expr)? {
            Value::Truth(yes) => Ok(yes),
            _ => error("there is no value"),
        }
    }

    fn number(&mut self, expr: &Expr) -> Result<f64, Stop> {
        match self.value(expr)? {
            Value::Number(n) => Ok(n),
            _ => error("there is no value"),
        }
    }

    /// A number that can be compared.
    fn comparable(&mut self, expr: &Expr) -> Result<f64, Stop> {
        match self.number(expr)? {
            n if n.is_nan() => Err(Stop::NotANumber(expr.from, expr.to)),
            n => Ok(n),
        }
    }

    fn numbers(&mut self, expr: &Expr) -> Result<Cow<'v, [f64]>, Stop> {
        match self.value(expr)? {
            Value::Numbers(list) => Ok(list),
            _ => error("there is no list"),
        }
    }

    fn list(&mut self, items: &[Expr]) -> Result<Value<'v>, Stop> {
        let (mut numbers, mut truths) = (Vec::new(), Vec::new());
        for item in items {
            match self.value(item)? {
                Value::Number(n) => numbers.push(n),
                Value::Truth(yes) => truths.push(yes),
                _ => return error("there is no value"),
            }
        }
        Ok(if truths.is_empty() { Value::Numbers(numbers.into()) } else { Value::Truths(truths) })
    }

    fn index(&mut self, list: &Expr, place: &Expr) -> Result<Value<'v>, Stop> {
        let at = self.number(place)?;
        let of = |count: usize| {
            let from_end = if at < 0.0 { at + count as f64 } else { at };
            let whole = from_end.fract() == 0.0 && (0.0..count as f64).contains(&from_end);
            if whole {
                Ok(from_end as usize)
            } else {
                error(format!("there is no [{at}] in a list of {count}"))
            }
        };
        Ok(match self.value(list)? {
            Value::Numbers(list) => Value::Number(list[of(list.len())?]),
            Value::Truths(list) => Value::Truth(list[of(list.len())?]),
            _ => return error("there is no list"),
        })
    }

    fn binary(&mut self, operator: Operator, left: &Expr, right: &Expr) -> Result<Value<'v>, Stop> {
        use Operator as O;
        Ok(match operator {
            O::Or | O::And => {
                let (a, decides) = (self.truth(left), operator == O::Or);
                if a == Ok(decides) {
                    return Ok(Value::Truth(decides));
                }
                // one side that decides is enough, whatever the other is
                match (a, self.truth(right)) {
                    (_, Ok(b)) if b == decides => Value::Truth(decides),
                    (Err(stop), _) | (_, Err(stop)) => return Err(stop),
                    (Ok(_), Ok(_)) => Value::Truth(!decides),
                }
            }
            O::Add => Value::Number(self.number(left)? + self.number(right)?),
            O::Subtract => Value::Number(self.number(left)? - self.number(right)?),
            O::Multiply => Value::Number(self.number(left)? * self.number(right)?),
            O::Divide => Value::Number(self.number(left)? / self.number(right)?),
            O::Remainder => Value::Number(self.number(left)? % self.number(right)?),
            O::Less => Value::Truth(self.comparable(left)? < self.comparable(right)?),
            O::More => Value::Truth(self.comparable(left)? > self.comparable(right)?),
            O::AtMost => Value::Truth(self.comparable(left)? <= self.comparable(right)?),
            O::AtLeast => Value::Truth(self.comparable(left)? >= self.comparable(right)?),
            O::In => Value::Truth(self.is_in(left, right)?),
            O::Equal => Value::Truth(self.equal(left, right)?),
            O::Unequal => Value::Truth(!self.equal(left, right)?),
        })
    }

    #[allow(clippy::float_cmp, reason = "what users write as == means the same number")]
    fn equal(&mut self, left: &Expr, right: &Expr) -> Result<bool, Stop> {
        for (asked, other) in [(left, right), (right, left)] {
            if other.node == Node::Nothing {
                return Ok(self.value(asked)? == Value::Nothing);
            }
        }
        match self.value(left)? {
            Value::Truth(a) => Ok(a == self.truth(right)?),
            Value::Number(a) if a.is_nan() => Err(Stop::NotANumber(left.from, left.to)),
            Value::Number(a) => Ok(a == self.comparable(right)?),
            _ => error("there is no value"),
        }
    }

    fn is_in(&mut self, left: &Expr, right: &Expr) -> Result<bool, Stop> {
        let one = self.value(left)?;
        Ok(match (one, self.value(right)?) {
            (Value::Number(n), _) if n.is_nan() => return Err(Stop::NotANumber(left.from, left.to)),
            (Value::Number(n), Value::Numbers(list)) if list.contains(&n) => true,
            // one of them may be equal
            (Value::Number(_), Value::Numbers(list)) if list.iter().any(|n| n.is_nan()) => {
                return Err(Stop::NotANumber(right.from, right.to));
            }
            (Value::Truth(yes), Value::Truths(list)) => list.contains(&yes),
            (Value::Number(_) | Value::Truth(_), Value::Numbers(_)) => false,
            _ => return error("there is no value"),
        })
    }

    fn function(&mut self, function: Function, arguments: &[Expr]) -> Result<Value<'v>, Stop> {
        use Function as F;
        let Some(first) = arguments.first() else { return error("there is no value") };
        Ok(match function {
            F::Length => Value::Number(match self.value(first)? {
                Value::Numbers(list) => list.len() as f64,
                Value::Truths(list) => list.len() as f64,
                _ => return error("there is no list"),
            }),
            F::Count => match self.value(first)? {
                Value::Truths(list) => Value::Number(list.iter().filter(|yes| **yes).count() as f64),
                _ => Value::Number(0.0),
            },
            F::Min => self.folded(arguments, f64::min)?,
            F::Max => self.folded(arguments, f64::max)?,
            F::Sum => Value::Number(self.numbers(first)?.iter().sum()),
            F::Mean => {
                let list = self.some(first)?;
                Value::Number(list.iter().sum::<f64>() / list.len() as f64)
            }
            F::Median => Value::Number(median(self.some(first)?.into_owned())),
            F::First | F::Last => {
                let list = self.numbers(first)?;
                let found = if function == F::First { list.first() } else { list.last() };
                found.map_or(Value::Nothing, |n| Value::Number(*n))
            }
            F::IsNil => Value::Truth(self.value(first)? == Value::Nothing),
            F::IsNan => Value::Truth(matches!(self.value(first)?, Value::Number(n) if n.is_nan())),
            F::IsInf => Value::Truth(matches!(self.value(first)?, Value::Number(n) if n.is_infinite())),
            F::Float => self.value(first)?,
            F::Int => Value::Number(self.number(first)?.trunc()),
            F::Abs => Value::Number(self.number(first)?.abs()),
            F::Round => Value::Number(self.number(first)?.round()),
            F::Floor => Value::Number(self.number(first)?.floor()),
            F::Ceil => Value::Number(self.number(first)?.ceil()),
        })
    }

    /// The least or greatest of the arguments. There is none if a query has no values; of values that a part of the condition
    /// leaves out all, it is undecided.
    fn folded(&mut self, arguments: &[Expr], with: fn(f64, f64) -> f64) -> Result<Value<'v>, Stop> {
        let all = self.given(arguments)?;
        let both = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { with(a, b) };
        let queried = matches!(arguments, [Expr { node: Node::Series(..), .. }]);
        let none = if queried { Value::Nothing } else { Value::Number(f64::NAN) };
        Ok(all.iter().copied().reduce(both).map_or(none, Value::Number))
    }

    /// The numbers of a list. An error if it is a query without values.
    fn some(&mut self, list: &Expr) -> Result<Cow<'v, [f64]>, Stop> {
        let all = self.numbers(list)?;
        let queried = matches!(list.node, Node::Series(..));
        if queried && all.is_empty() { error("there is no value") } else { Ok(all) }
    }

    /// The numbers of the arguments, and of the lists among them.
    fn given(&mut self, arguments: &[Expr]) -> Result<Cow<'v, [f64]>, Stop> {
        if let [only] = arguments {
            return match self.value(only)? {
                Value::Numbers(list) => Ok(list),
                Value::Number(n) => Ok(vec![n].into()),
                _ => error("there is no value"),
            };
        }
        let mut all = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match self.value(argument)? {
                Value::Numbers(list) if !list.is_empty() => all.extend_from_slice(&list),
                Value::Number(n) => all.push(n),
                _ => return error("there is no value"),
            }
        }
        Ok(all.into())
    }

    fn each_of(&mut self, kind: Loop, list: &Expr, body: &Expr) -> Result<Value<'v>, Stop> {
        let values: Vec<Value<'v>> = match self.value(list)? {
            Value::Numbers(list) => list.iter().map(|n| Value::Number(*n)).collect(),
            Value::Truths(list) => list.iter().map(|yes| Value::Truth(*yes)).collect(),
            _ => return error("there is no list"),
        };
        let mut answers = Vec::with_capacity(values.len());
        for value in &values {
            self.each = Some(value.clone());
            answers.push(self.value(body));
        }
        self.each = None;
        if let Loop::All | Loop::Exists = kind {
            // as with && and ||: one that decides is enough
            let decides = kind == Loop::Exists;
            if answers.contains(&Ok(Value::Truth(decides))) {
                return Ok(Value::Truth(decides));
            }
        }
        let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        let yes = |answer: &Value<'_>| *answer == Value::Truth(true);
        Ok(match kind {
            Loop::All => Value::Truth(true),
            Loop::Exists => Value::Truth(false),
            Loop::ExistsOne => Value::Truth(answers.iter().filter(|a| yes(a)).count() == 1),
            Loop::Map => listed(answers),
            Loop::Filter => listed(
                values.into_iter().zip(&answers).filter(|(_, a)| yes(a)).map(|(value, _)| value).collect(),
            ),
        })
    }
}

fn listed(values: Vec<Value<'_>>) -> Value<'_> {
    let (mut numbers, mut truths) = (Vec::new(), Vec::new());
    for value in values {
        match value {
            Value::Number(n) => numbers.push(n),
            Value::Truth(yes) => truths.push(yes),
            _ => {}
        }
    }
    if truths.is_empty() { Value::Numbers(numbers.into()) } else { Value::Truths(truths) }
}

/// Of an empty list: not a number; one value that is not a number makes the result not a number.
fn median(mut list: Vec<f64>) -> f64 {
    if list.is_empty() || list.iter().any(|n| n.is_nan()) {
        return f64::NAN;
    }
    list.sort_by(f64::total_cmp);
    let half = list.len() / 2;
    if list.len() % 2 == 1 { list[half] } else { f64::midpoint(list[half - 1], list[half]) }
}
