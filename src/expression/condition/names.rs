//! Functions by name, and the error for an unknown name.

use super::{
    fault::Fault,
    tree::{Expr, Function, Loop, Node},
};

const LOOPS: [(&str, Loop); 5] = [
    ("all", Loop::All),
    ("exists", Loop::Exists),
    ("exists_one", Loop::ExistsOne),
    ("filter", Loop::Filter),
    ("map", Loop::Map),
];

const FUNCTIONS: [(&str, Function); 21] = [
    ("len", Function::Length),
    ("size", Function::Length),
    ("min", Function::Min),
    ("max", Function::Max),
    ("sum", Function::Sum),
    ("mean", Function::Mean),
    ("median", Function::Median),
    ("count", Function::Count),
    ("first", Function::First),
    ("last", Function::Last),
    ("abs", Function::Abs),
    ("round", Function::Round),
    ("floor", Function::Floor),
    ("ceil", Function::Ceil),
    ("isNaN", Function::IsNan),
    ("isInf", Function::IsInf),
    ("isNil", Function::IsNil),
    ("asFloat", Function::Float),
    ("float", Function::Float),
    ("asInt", Function::Int),
    ("int", Function::Int),
];

/// The operation on each value, by the method name.
pub(super) fn loop_of(name: &str) -> Option<Loop> {
    LOOPS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// The first name of a function.
pub(super) fn name_of(function: Function) -> &'static str {
    FUNCTIONS.iter().find(|(_, known)| *known == function).map_or("", |(name, _)| name)
}

/// The function of a name.
pub(super) fn call(name: &str, arguments: Vec<Expr>, at: usize) -> Result<Node, Fault> {
    if name == "default" {
        let [value, instead] = <[Expr; 2]>::try_from(arguments)
            .map_err(|_| Fault::new(at, "default takes a value and what stands for it"))?;
        return Ok(Node::Default(Box::new(value), Box::new(instead)));
    }
    if name == "double" {
        return Ok(Node::Function(Function::Float, arguments));
    }
    let found = FUNCTIONS.iter().find(|(known, _)| *known == name);
    found.map(|(_, function)| Node::Function(*function, arguments)).ok_or_else(|| unknown(name, at))
}

pub(super) fn method(name: &str, at: usize) -> Fault {
    if FUNCTIONS.iter().any(|(known, _)| *known == name) {
        return Fault::new(at, format!("write {name}(…) in place of .{name}(…)"));
    }
    Fault::new(at, format!("there is no function .{name}: there are all, exists, exists_one, filter and map"))
}

pub(super) fn unknown(name: &str, at: usize) -> Fault {
    let written = match name {
        "any" => "exists",
        "one" => "exists_one",
        "none" => "!result.exists",
        other => other,
    };
    if written != name || LOOPS.iter().any(|(known, _)| *known == name) {
        let dotted = if written.starts_with('!') { written.to_owned() } else { format!("result.{written}") };
        return Fault::new(at, format!("there is no function {name}: write {dotted}(x, x > 0.9)"));
    }
    Fault::new(
        at,
        format!(
            "{name} is not known: there are result, canary and primary, and the functions of docs/verdicts.md"
        ),
    )
}
