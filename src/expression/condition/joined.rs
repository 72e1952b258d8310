//! Parts joined by `&&` that can never hold together, and parts joined by `||` of which one always holds. They are refused
//! as other [constants](super::constant) are: with them a condition passes, or fails, for any release.

use super::{
    constant::{Numbers, equal},
    eval,
    fault::Fault,
    tree::{Expr, Node, Operator},
};

/// Refuses parts that have the same result for every number.
pub(super) fn open(operator: Operator, left: &Expr, right: &Expr) -> Result<(), Fault> {
    let mut parts = Vec::new();
    for side in [left, right] {
        flatten(operator, side, &mut parts);
    }
    let decided =
        parts.iter().position(|part| is_opposed(part, &parts) || is_decided(operator, part, &parts));
    let Some(at) = decided.map(|at| parts[at].expr.from) else { return Ok(()) };
    let what = if operator == Operator::And {
        "this and a later part never hold together: write || for &&, or correct a limit"
    } else {
        "of this and the later parts one always holds: write && for ||, or correct a limit"
    };
    Err(Fault::new(at, what))
}

/// One of the parts, without the `!` before it.
struct Part<'e> {
    expr: &'e Expr,
    negated: bool,
}

fn flatten<'e>(operator: Operator, expr: &'e Expr, parts: &mut Vec<Part<'e>>) {
    match &expr.node {
        Node::Binary(of, left, right) if *of == operator => {
            flatten(operator, left, parts);
            flatten(operator, right, parts);
        }
        Node::Not(of) => parts.push(Part { expr: of, negated: true }),
        _ => parts.push(Part { expr, negated: false }),
    }
}

/// Another part is its opposite.
fn is_opposed(part: &Part<'_>, parts: &[Part<'_>]) -> bool {
    parts.iter().any(|other| other.negated != part.negated && other.expr == part.expr)
}

/// It compares a value with constants, and together with the others that compare this value it has the same result
/// for every number.
fn is_decided(operator: Operator, part: &Part<'_>, parts: &[Part<'_>]) -> bool {
    let Some(compared) = Compared::of(part) else { return false };
    let all: Vec<Compared<'_>> =
        parts.iter().filter_map(Compared::of).filter(|other| equal(other.value, compared.value)).collect();
    let decides = operator == Operator::Or;
    let limits: Vec<f64> = all.iter().flat_map(Compared::limits).collect();
    let numbers = Numbers::of(compared.value).around(&limits);
    numbers.into_iter().all(|n| all.iter().any(|one| one.holds(n) == Some(decides)))
}

/// A comparison of a value with a constant, or with a list of them.
struct Compared<'e> {
    value: &'e Expr,
    operator: Operator,
    with: &'e Expr,
    negated: bool,
}

impl<'e> Compared<'e> {
    fn of(part: &Part<'e>) -> Option<Self> {
        let Node::Binary(operator, left, right) = &part.expr.node else { return None };
        let (value, operator, with) = match (left.depends(), right.depends()) {
            (true, false) => (left, *operator, right),
            (false, true) if *operator != Operator::In => (right, operator.mirrored(), left),
            _ => return None,
        };
        let found = Self { value, operator, with, negated: part.negated };
        Some(found).filter(|found| !found.limits().is_empty())
    }

    fn limits(&self) -> Vec<f64> {
        match &self.with.node {
            Node::List(items) => items.iter().filter_map(eval::constant).collect(),
            _ => eval::constant(self.with).into_iter().collect(),
        }
    }

    fn holds(&self, n: f64) -> Option<bool> {
        Some(eval::compared(self.operator, n, self.with)? != self.negated)
    }
}
