//! The parts of a condition.

/// An expression and its position in the text.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) node: Node,
}

/// Two expressions are equal wherever they stand in the text.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl Expr {
    /// The expressions that it consists of.
    fn parts(&self) -> Vec<&Self> {
        match &self.node {
            Node::List(parts) | Node::Function(_, parts) => parts.iter().collect(),
            Node::Loop(_, a, b) | Node::Index(a, b) | Node::Binary(_, a, b) | Node::Default(a, b) => {
                vec![a, b]
            }
            Node::Not(of) | Node::Minus(of) => vec![of],
            Node::Choice(parts) => parts.iter().map(AsRef::as_ref).collect(),
            _ => vec![],
        }
    }

    /// This holds of it, or of some part of it.
    fn has(&self, wanted: &dyn Fn(&Node) -> bool) -> bool {
        wanted(&self.node) || self.parts().into_iter().any(|part| part.has(wanted))
    }

    /// Some part of it goes through the values of a list.
    pub(super) fn loops(&self) -> bool {
        self.has(&|node| matches!(node, Node::Loop(..)))
    }

    /// It contains the result of this side's query.
    pub(super) fn names(&self, side: Side) -> bool {
        self.has(&|node| matches!(node, Node::Series(of, _) if *of == side))
    }

    /// It contains the result of this side's query, and not only the number of its values.
    pub(super) fn measures(&self, side: Side) -> bool {
        match &self.node {
            Node::Function(Function::Length | Function::Count, _) => false,
            Node::Series(of, _) => *of == side,
            _ => self.parts().into_iter().any(|part| part.measures(side)),
        }
    }

    /// The side whose first value it is.
    pub(super) fn first_of(&self) -> Option<Side> {
        let list = match &self.node {
            Node::Series(side, Shape::Value) => return Some(*side),
            Node::Index(list, place) if place.node == Node::Number(0.0) => list,
            Node::Function(Function::First, arguments) => arguments.first()?,
            _ => return None,
        };
        if let Node::Series(side, _) = list.node { Some(side) } else { None }
    }

    /// It contains the value of the enclosing loop.
    pub(super) fn names_each(&self) -> bool {
        self.has(&|node| *node == Node::Each)
    }

    /// It depends on what is measured, or on the value of the enclosing loop.
    pub(super) fn depends(&self) -> bool {
        match &self.node {
            Node::Series(..) | Node::Each => true,
            // the values of a loop over constants are constants
            Node::Loop(_, list, body) => {
                list.depends() || body.names(Side::Canary) || body.names(Side::Primary)
            }
            _ => self.parts().into_iter().any(Self::depends),
        }
    }

    /// The sides whose series are the elements of this list, in their order.
    pub(super) fn elements_of(&self) -> Vec<Side> {
        match &self.node {
            Node::Series(side, _) => vec![*side],
            Node::Loop(Loop::Map | Loop::Filter, list, _) => list.elements_of(),
            Node::Default(a, b) | Node::Choice([_, a, b]) => [a.elements_of(), b.elements_of()].concat(),
            _ => vec![],
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
    /// The same comparison with its sides exchanged.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::More,
            Self::More => Self::Less,
            Self::AtMost => Self::AtLeast,
            Self::AtLeast => Self::AtMost,
            other => other,
        }
    }

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
