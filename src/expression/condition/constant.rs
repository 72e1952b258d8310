//! Parts of a condition that have the same value for every measurement. They are refused, because they hide a mistake:
//! with one of them a condition may pass, or fail, for any release.

use super::{
    eval,
    fault::Fault,
    tree::{Expr, Function, Node, Operator},
};

/// Refuses what is true or false for every measurement.
pub(super) fn measured(expr: &Expr) -> Result<(), Fault> {
    if expr.depends() { Ok(()) } else { Err(unmeasured(expr.from)) }
}

fn unmeasured(at: usize) -> Fault {
    Fault::new(at, "this part does not depend on the measured value: leave it out")
}

/// Refuses a constant that is infinite, or no number.
pub(super) fn finite(expr: &Expr) -> Result<(), Fault> {
    if expr.depends() || eval::constant(expr).is_some_and(f64::is_finite) {
        return Ok(());
    }
    Err(Fault::new(expr.from, "this is not a finite number: ask isInf(x) or isNaN(x)"))
}

/// Refuses a comparison that has the same result for every measurement.
pub(super) fn open(operator: Operator, left: &Expr, right: &Expr) -> Result<(), Fault> {
    let (of, operator, limit) = match (left.depends(), right.depends()) {
        (false, false) => return Err(unmeasured(left.from)),
        (true, false) => (left, operator, right),
        (false, true) => (right, operator.mirrored(), left),
        (true, true) => return Ok(()),
    };
    let (name, whole) = match of.node {
        Node::Function(Function::Length | Function::Count, _) => ("a count", true),
        Node::Function(Function::Abs, _) => ("abs(x)", false),
        _ => return Ok(()),
    };
    if let (Operator::In, Node::List(items)) = (operator, &limit.node) {
        let possible = |n: f64| n >= 0.0 && (!whole || n.fract() == 0.0);
        if items.iter().all(|item| !item.depends() && eval::constant(item).is_some_and(|n| !possible(n))) {
            return Err(Fault::new(of.from, format!("{name} is never one of these")));
        }
    }
    let Some(limit) = eval::constant(limit) else { return Ok(()) };
    // the least value, the limit, and the next one
    let at = if whole { limit.floor() } else { limit };
    let mut answers =
        [0.0, at, at + 1.0].into_iter().filter(|n| *n >= 0.0).map(|n| holds(operator, n, limit));
    let first = answers.next().unwrap_or_default();
    if answers.any(|answer| answer != first) {
        return Ok(());
    }
    let how_often = if first { "always" } else { "never" };
    Err(Fault::new(of.from, format!("{name} is {how_often} {} {limit}", words(operator))))
}

#[allow(clippy::float_cmp, reason = "what users write as == means the same number")]
fn holds(operator: Operator, n: f64, limit: f64) -> bool {
    match operator {
        Operator::Less => n < limit,
        Operator::AtMost => n <= limit,
        Operator::More => n > limit,
        Operator::AtLeast => n >= limit,
        Operator::Unequal => n != limit,
        _ => n == limit,
    }
}

fn words(operator: Operator) -> &'static str {
    match operator {
        Operator::Less => "less than",
        Operator::AtMost => "at most",
        Operator::More => "more than",
        Operator::AtLeast => "at least",
        Operator::Unequal => "other than",
        _ => "equal to",
    }
}
