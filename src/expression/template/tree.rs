//! The parts of a template.

use std::collections::BTreeMap;

use super::value::Value;

pub(super) type Body = Vec<(Node, usize)>;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Block),
    With(Block),
    Range(Block),
    Template(String, Option<Pipe>),
    Break,
    Continue,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Block {
    pub(super) pipe: Pipe,
    pub(super) body: Body,
    pub(super) otherwise: Body,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pipe {
    /// Variables that get the value, with their `$`.
    pub(super) variables: Vec<String>,
    /// They were declared earlier.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Command {
    pub(super) first: Operand,
    pub(super) arguments: Vec<Operand>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operand {
    pub(super) at: usize,
    pub(super) term: Term,
    /// The fields that are read: `.a.b`.
    pub(super) fields: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Literal(Value),
    Nil,
    Dot,
    Variable(String),
    Function(String),
    Pipe(Pipe),
}

/// A template that can be rendered: its own body, and the templates it defines, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub(super) body: Body,
    pub(super) defined: BTreeMap<String, Body>,
}
