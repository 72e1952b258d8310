//! Parts of a condition that have the same value for every measurement. They are refused, because they hide a mistake:
//! with one of them a condition may pass, or fail, for any release.

use super::{
    eval,
    fault::Fault,
    names::name_of,
    tree::{Expr, Function, Node, Operator, Shape},
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

/// Refuses a choice between two results that are the same.
pub(super) fn differs(yes: &Expr, no: &Expr, at: usize) -> Result<(), Fault> {
    let same = if yes.depends() || no.depends() { yes == no } else { eval::same_constants(yes, no) };
    if same {
        return Err(Fault::new(at, "both choices are the same: leave the question out"));
    }
    Ok(())
}

/// Refuses a calculation with one value on both sides whose result is the same for every measurement, and one that divides
/// by 0.
pub(super) fn calculates(operator: Operator, left: &Expr, right: &Expr) -> Result<(), Fault> {
    let divides = matches!(operator, Operator::Divide | Operator::Remainder);
    if divides && left.depends() && !right.depends() && eval::constant(right) == Some(0.0) {
        return Err(Fault::new(right.from, "this divides by 0, so the result is no finite number"));
    }
    let kept: &[Operator] = match operator {
        Operator::Subtract => &[Operator::Add, Operator::Subtract],
        Operator::Divide => &[Operator::Multiply, Operator::Divide],
        Operator::Remainder => &[],
        _ => return Ok(()),
    };
    if left.depends() && equal(base(left, kept), base(right, kept)) { Err(itself(left.from)) } else { Ok(()) }
}

/// A comparison of a value with itself, or with itself raised or lowered by constants.
fn with_itself(operator: Operator, left: &Expr, right: &Expr) -> bool {
    use Operator as O;
    match (operator, &right.node) {
        (O::In, Node::List(items)) => items.iter().any(|item| equal(left, item)),
        (O::In, Node::Series(side, Shape::List)) => left.first_of() == Some(*side),
        _ => {
            let kept = [O::Add, O::Subtract, O::Multiply, O::Divide];
            equal(base(left, &kept), base(right, &kept))
        }
    }
}

fn itself(at: usize) -> Fault {
    Fault::new(at, "both sides come from the same value: compare it with a number, or with primary")
}

/// The same value, which may be written in two ways: `result` and `result[0]`.
pub(super) fn equal(a: &Expr, b: &Expr) -> bool {
    a == b || a.first_of().is_some() && a.first_of() == b.first_of()
}

/// The value to which these operators add constants, or by whose constants they multiply it. Negative ones turn it
/// around, so they remain.
fn base<'e>(expr: &'e Expr, operators: &[Operator]) -> &'e Expr {
    let Node::Binary(operator, left, right) = &expr.node else { return expr };
    let constant = |of: &Expr| !of.depends() && eval::constant(of).is_some_and(|n| n > 0.0);
    if !operators.contains(operator) {
        expr
    } else if constant(right) {
        base(left, operators)
    } else if constant(left) && matches!(operator, Operator::Add | Operator::Multiply) {
        base(right, operators)
    } else {
        expr
    }
}

/// The number of a list's values, compared in this way, says whether there is one: none and one differ.
pub(super) fn tells_none(operator: Operator, limit: &Expr) -> bool {
    !limit.depends() && eval::compared(operator, 0.0, limit) != eval::compared(operator, 1.0, limit)
}

/// Refuses a comparison that has the same result for every measurement.
pub(super) fn open(operator: Operator, left: &Expr, right: &Expr) -> Result<(), Fault> {
    let (of, operator, limit) = match (left.depends(), right.depends()) {
        (false, false) => return Err(unmeasured(left.from)),
        (true, false) => (left, operator, right),
        (false, true) => (right, operator.mirrored(), left),
        (true, true) if with_itself(operator, left, right) => return Err(itself(left.from)),
        (true, true) => return Ok(()),
    };
    let Some((name, numbers)) = named(of) else { return Ok(()) };
    if let (Operator::In, Node::List(items)) = (operator, &limit.node) {
        let never = |item: &Expr| eval::constant(item).is_some_and(|n| !numbers.contain(n));
        if items.iter().all(|item| !item.depends() && never(item)) {
            return Err(Fault::new(of.from, format!("{name} is never one of these")));
        }
    }
    let Some(limit) = eval::constant(limit) else { return Ok(()) };
    let mut answers = numbers.around(&[limit]).into_iter().map(|n| holds(operator, n, limit));
    let first = answers.next().unwrap_or_default();
    if answers.any(|answer| answer != first) {
        return Ok(());
    }
    let how_often = if first { "always" } else { "never" };
    Err(Fault::new(of.from, format!("{name} is {how_often} {} {limit}", words(operator))))
}

/// The name of a function whose results are not all numbers, and which they are.
fn named(of: &Expr) -> Option<(String, Numbers)> {
    let Node::Function(function, _) = of.node else { return None };
    Some(match function {
        Function::Length | Function::Count => ("a count".to_owned(), Numbers { whole: true, least: 0.0 }),
        Function::Abs => ("abs(x)".to_owned(), Numbers { whole: false, least: 0.0 }),
        Function::Round | Function::Floor | Function::Ceil | Function::Int => {
            (format!("{}(x)", name_of(function)), Numbers { whole: true, least: f64::NEG_INFINITY })
        }
        _ => return None,
    })
}

/// The numbers that a value may have.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    whole: bool,
    least: f64,
}

impl Numbers {
    pub(super) fn of(value: &Expr) -> Self {
        named(value).map_or(Self { whole: false, least: f64::NEG_INFINITY }, |(_, numbers)| numbers)
    }

    fn contain(self, n: f64) -> bool {
        n >= self.least && (!self.whole || n.fract() == 0.0)
    }

    /// Those at which a comparison with these limits may change, and its neighbours: the least, those around each limit,
    /// and the limit.
    pub(super) fn around(self, limits: &[f64]) -> Vec<f64> {
        let each = limits.iter().flat_map(|limit| {
            let at = limit.floor();
            if self.whole { [at - 1.0, at, at + 1.0] } else { [limit.next_down(), *limit, limit.next_up()] }
        });
        each.chain([self.least, f64::INFINITY]).filter(|n| *n >= self.least).collect()
    }
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
