//! The parts of a condition.

/// An expression and its position in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expr {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) node: Node,
}

impl Expr {
    /// Some part of it goes through the values of a list.
    pub(super) fn loops(&self) -> bool {
        match &self.node {
            Node::Loop(..) => true,
            Node::List(parts) | Node::Function(_, parts) => parts.iter().any(Self::loops),
            Node::Index(a, b) | Node::Binary(_, a, b) | Node::Default(a, b) => a.loops() || b.loops(),
            Node::Not(of) | Node::Minus(of) => of.loops(),
            Node::Choice(parts) => parts.iter().any(|part| part.loops()),
            _ => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Truth(bool),
    /// Texts are only parsed to report that nothing can be compared with them.
    Text,
    Nothing,
    /// A name that was not looked up yet; a checked condition has none.
    Name(String),
    /// A call of a function that was not looked up yet.
    Call(String, Vec<Expr>),
    /// A method call that was not looked up yet.
    Method(String, Box<Expr>, Vec<Expr>),
    /// The result of a query.
    Series(Side, Shape),
    /// The value of the enclosing loop.
    Each,
    List(Vec<Expr>),
    Index(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Choice([Box<Expr>; 3]),
    Function(Function, Vec<Expr>),
    Loop(Loop, Box<Expr>, Box<Expr>),
    /// The first, or the second if there is no first.
    Default(Box<Expr>, Box<Expr>),
}

/// The side of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Canary,
    Primary,
}

/// How the result of a query is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The first value.
    Value,
    /// All values.
    List,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    AtMost,
    AtLeast,
    Less,
    More,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// How strongly it binds.
    pub(super) fn level(self) -> usize {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal
            | Self::Unequal
            | Self::AtMost
            | Self::AtLeast
            | Self::Less
            | Self::More
            | Self::In => 3,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide | Self::Remainder => 5,
        }
    }
}

/// The operation on each value of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loop {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    Min,
    Max,
    Sum,
    Mean,
    Median,
    Count,
    First,
    Last,
    Abs,
    Round,
    Floor,
    Ceil,
    IsNan,
    IsInf,
    IsNil,
    Float,
    Int,
}
