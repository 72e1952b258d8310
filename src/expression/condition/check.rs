//! Checks that every name is known and every value has the right type before a condition is evaluated. Mistakes are
//! refused with their position, also in parts that no value has reached yet.

use super::{
    fault::Fault,
    names::{call, loop_of, method, name_of, unknown},
    tree::{Expr, Function, Loop, Node, Operator, Shape, Side},
};

/// Highest number of values in a list, so that no index is beyond it.
pub(super) const MOST_SERIES: usize = 100;

/// The type of an expression's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Truth,
    Text,
    Nothing,
    Numbers,
    Truths,
    /// A list without elements.
    Empty,
}

impl Kind {
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Truth => "true or false",
            Self::Text => "a text",
            Self::Nothing => "nothing",
            Self::Numbers | Self::Truths | Self::Empty => "a list",
        }
    }

    fn numbers(self) -> bool {
        matches!(self, Self::Numbers | Self::Empty)
    }
}

/// How a name is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// At all.
    pub(super) named: bool,
    /// As one value: the first.
    pub(super) first: bool,
    /// With an index other than the first.
    pub(super) placed: bool,
}

/// The names in a condition.
#[derive(Clone, Debug, Default)]
pub(super) struct Checker {
    pub(super) canary: Use,
    pub(super) primary: Use,
    /// It checks whether there is an answer.
    pub(super) absence: bool,
    /// It checks whether a value is a number.
    pub(super) oddity: bool,
    /// The name of the value in the enclosing loop, and its type.
    each: Option<(String, Kind)>,
}

impl Checker {
    fn side(&mut self, side: Side) -> &mut Use {
        match side {
            Side::Canary => &mut self.canary,
            Side::Primary => &mut self.primary,
        }
    }

    /// Notes a check whether `of` is there, or a number. Within a loop no value is asked if there is none, and what a
    /// loop leaves of a list may be nothing while there is an answer.
    fn asks(&mut self, of: &Expr) {
        self.oddity = true;
        self.absence |= self.each.is_none() && !of.loops();
    }

    /// The type of an expression if `shape` is wanted of a query's result. Names and calls are looked up.
    pub(super) fn kind(&mut self, expr: &mut Expr, shape: Shape) -> Result<Kind, Fault> {
        let at = expr.from;
        self.look_up(expr, shape)?;
        Ok(match &mut expr.node {
            Node::Number(_) | Node::Series(_, Shape::Value) => Kind::Number,
            Node::Truth(_) => Kind::Truth,
            Node::Text => Kind::Text,
            Node::Nothing => Kind::Nothing,
            Node::Series(_, Shape::List) => Kind::Numbers,
            Node::Each => self.each.as_ref().map_or(Kind::Number, |(_, kind)| *kind),
            Node::List(items) => self.list(items)?,
            Node::Index(list, place) => self.index(list, place)?,
            Node::Not(of) => self.wants(of, Kind::Truth, "not")?,
            Node::Minus(of) => self.wants(of, Kind::Number, "-")?,
            Node::Binary(operator, left, right) => self.binary(*operator, left, right, at)?,
            Node::Choice(parts) => {
                let [asked, yes, no] = parts;
                self.wants(asked, Kind::Truth, "?")?;
                let (yes, no) = (self.kind(yes, shape)?, self.kind(no, shape)?);
                same(yes, no, at)?
            }
            Node::Function(function, arguments) => self.function(*function, arguments, at)?,
            Node::Loop(kind, list, body) => self.body(*kind, list, body)?,
            Node::Default(value, instead) => {
                let instead_kind = self.kind(instead, shape)?;
                let listed = matches!(instead_kind, Kind::Numbers | Kind::Truths | Kind::Empty);
                let shape = if listed { Shape::List } else { shape };
                let kind = self.kind(value, shape)?;
                self.asks(value);
                same(kind, instead_kind, at)?
            }
            Node::Name(name) | Node::Call(name, _) | Node::Method(name, ..) => return Err(unknown(name, at)),
        })
    }

    fn look_up(&mut self, expr: &mut Expr, shape: Shape) -> Result<(), Fault> {
        let at = expr.from;
        let node = std::mem::replace(&mut expr.node, Node::Nothing);
        expr.node = match node {
            Node::Name(name) if self.each.as_ref().is_some_and(|(each, _)| *each == name) => Node::Each,
            Node::Name(name) => {
                let side = match name.as_str() {
                    "result" | "canary" => Side::Canary,
                    "primary" => Side::Primary,
                    _ => return Err(unknown(&name, at)),
                };
                let found = self.side(side);
                found.named = true;
                found.first |= shape == Shape::Value;
                Node::Series(side, shape)
            }
            Node::Call(name, arguments) => call(&name, arguments, at)?,
            Node::Method(name, of, mut arguments) => {
                let Some(kind) = loop_of(&name) else { return Err(method(&name, at)) };
                let [Expr { node: Node::Name(each), .. }, _] = arguments.as_slice() else {
                    let what = format!(
                        "{name} takes a name and what is asked of each value, as in result.{name}(x, x > 0.9)"
                    );
                    return Err(Fault::new(at, what));
                };
                if self.each.is_some() {
                    let what = "one of all, exists, exists_one, filter and map inside another is not served";
                    return Err(Fault::new(at, what));
                }
                let each = each.clone();
                if ["result", "canary", "primary"].contains(&each.as_str()) {
                    return Err(Fault::new(at, format!("{each} cannot be the name of each value: take x")));
                }
                let body = arguments.pop().unwrap_or_else(|| of.as_ref().clone());
                self.each = Some((each, Kind::Number));
                Node::Loop(kind, of, Box::new(body))
            }
            other => other,
        };
        Ok(())
    }

    fn wants(&mut self, expr: &mut Expr, wanted: Kind, by: &str) -> Result<Kind, Fault> {
        let at = expr.from;
        match self.kind(expr, Shape::Value)? {
            found if found == wanted => Ok(found),
            found => {
                let what = format!("{by} takes {}, and this is {}", wanted.shown(), found.shown());
                Err(Fault::new(at, what))
            }
        }
    }

    fn list(&mut self, items: &mut [Expr]) -> Result<Kind, Fault> {
        let mut all = Kind::Empty;
        for item in items {
            let of = match self.kind(item, Shape::Value)? {
                Kind::Number => Kind::Numbers,
                Kind::Truth => Kind::Truths,
                Kind::Text => return Err(Fault::new(item.from, "a number is never equal to a text")),
                other => {
                    return Err(Fault::new(item.from, format!("{} cannot stand in a list", other.shown())));
                }
            };
            all = same(all, of, item.from)?;
        }
        Ok(all)
    }

    fn index(&mut self, list: &mut Expr, place: &mut Expr) -> Result<Kind, Fault> {
        let kind = self.kind(list, Shape::List)?;
        let kind = match kind {
            Kind::Numbers | Kind::Empty => Kind::Number,
            Kind::Truths => Kind::Truth,
            other => {
                let what = format!("{} has no entries: only lists such as result have", other.shown());
                return Err(Fault::new(list.from, what));
            }
        };
        self.wants(place, Kind::Number, "a place in a list")?;
        if let Node::Number(n) = place.node
            && (n.fract() != 0.0 || n >= MOST_SERIES as f64)
        {
            let what = format!("there is no place {n}: places are whole numbers below {MOST_SERIES}");
            return Err(Fault::new(place.from, what));
        }
        if let Node::Series(side, _) = list.node {
            let first = matches!(place.node, Node::Number(n) if n == 0.0);
            let found = self.side(side);
            found.first |= first;
            found.placed |= !first;
        }
        Ok(kind)
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: &mut Expr,
        right: &mut Expr,
        at: usize,
    ) -> Result<Kind, Fault> {
        use Operator as O;
        match operator {
            O::Or | O::And => {
                self.wants(left, Kind::Truth, "and and or")?;
                self.wants(right, Kind::Truth, "and and or")
            }
            O::Add | O::Subtract | O::Multiply | O::Divide | O::Remainder => {
                self.wants(left, Kind::Number, "arithmetic")?;
                self.wants(right, Kind::Number, "arithmetic")
            }
            O::Less | O::More | O::AtMost | O::AtLeast => {
                for side in [left, right] {
                    let found = self.kind(side, Shape::Value)?;
                    if found != Kind::Number {
                        let what = format!("< and > compare numbers, and this is {}", found.shown());
                        return Err(Fault::new(side.from, what));
                    }
                }
                Ok(Kind::Truth)
            }
            O::In => {
                let one = self.kind(left, Shape::Value)?;
                let of = match self.kind(right, Shape::List)? {
                    Kind::Numbers => Kind::Number,
                    Kind::Truths => Kind::Truth,
                    Kind::Empty => one,
                    other => {
                        let what = format!("in looks into a list, and this is {}", other.shown());
                        return Err(Fault::new(right.from, what));
                    }
                };
                if one == of && matches!(one, Kind::Number | Kind::Truth) {
                    return Ok(Kind::Truth);
                }
                Err(Fault::new(at, unlike(one, of)))
            }
            O::Equal | O::Unequal => {
                let (a, b) = (self.kind(left, Shape::Value)?, self.kind(right, Shape::Value)?);
                match (a, b) {
                    (Kind::Number, Kind::Number) | (Kind::Truth, Kind::Truth) => {}
                    (Kind::Number, Kind::Nothing) | (Kind::Nothing, Kind::Number) => {
                        let value = if a == Kind::Number { left } else { right };
                        if !may_be_absent(value) {
                            let what = "this is never nil: ask len(result) == 0, or isNil(result)";
                            return Err(Fault::new(value.from, what));
                        }
                        self.asks(value);
                    }
                    _ => return Err(Fault::new(at, unlike(a, b))),
                }
                Ok(Kind::Truth)
            }
        }
    }

    fn function(&mut self, function: Function, arguments: &mut [Expr], at: usize) -> Result<Kind, Fault> {
        use Function as F;
        let name = name_of(function);
        let list =
            matches!(function, F::Length | F::Sum | F::Mean | F::Median | F::Count | F::First | F::Last);
        let [only] = arguments else {
            if matches!(function, F::Min | F::Max) && !arguments.is_empty() {
                for argument in arguments {
                    self.wants(argument, Kind::Number, name)?;
                }
                return Ok(Kind::Number);
            }
            let hint = if function == F::Count { ": write len(result.filter(x, x > 0.9))" } else { "" };
            let what = format!("{name} takes one {}{hint}", if list { "list" } else { "value" });
            return Err(Fault::new(at, what));
        };
        if list || matches!(function, F::Min | F::Max) {
            let kind = self.kind(only, Shape::List)?;
            if let (F::Length, Node::Series(..)) = (function, &only.node) {
                self.asks(only);
            }
            if let (F::Last, Node::Series(side, _)) = (function, &only.node) {
                self.side(*side).placed = true;
            }
            if let (F::First, Node::Series(side, _)) = (function, &only.node) {
                self.side(*side).first = true;
            }
            let fits = match function {
                F::Count => matches!(kind, Kind::Truths | Kind::Empty),
                F::Length => kind.numbers() || kind == Kind::Truths,
                F::Min | F::Max => kind.numbers() || kind == Kind::Number,
                _ => kind.numbers(),
            };
            if !fits {
                let wanted =
                    if function == F::Count { "a list of true and false" } else { "a list of numbers" };
                return Err(Fault::new(at, format!("{name} takes {wanted}, and this is {}", kind.shown())));
            }
            return Ok(Kind::Number);
        }
        let kind = self.kind(only, Shape::Value)?;
        if matches!(function, F::IsNan | F::IsNil) {
            self.asks(only);
        }
        match (function, kind) {
            (F::IsNil, Kind::Number | Kind::Nothing) | (F::IsNan | F::IsInf, Kind::Number) => Ok(Kind::Truth),
            (_, Kind::Number) => Ok(Kind::Number),
            _ => Err(Fault::new(at, format!("{name} takes a number, and this is {}", kind.shown()))),
        }
    }

    fn body(&mut self, kind: Loop, list: &mut Expr, body: &mut Expr) -> Result<Kind, Fault> {
        let each = self.each.take();
        let of = self.kind(list, Shape::List)?;
        let one = match of {
            Kind::Numbers | Kind::Empty => Kind::Number,
            Kind::Truths => Kind::Truth,
            other => {
                let what = format!("{} has no values to go through", other.shown());
                return Err(Fault::new(list.from, what));
            }
        };
        self.each = each.map(|(name, _)| (name, one));
        let yields = self.kind(body, Shape::Value)?;
        self.each = None;
        match (kind, yields) {
            (Loop::Map, Kind::Number) => Ok(Kind::Numbers),
            (Loop::Map, Kind::Truth) => Ok(Kind::Truths),
            (Loop::Map, other) => {
                Err(Fault::new(body.from, format!("{} cannot stand in a list", other.shown())))
            }
            (Loop::Filter, Kind::Truth) => Ok(of),
            (_, Kind::Truth) => Ok(Kind::Truth),
            (_, other) => {
                let what = format!(
                    "what is asked of each value must be true or false, and this is {}",
                    other.shown()
                );
                Err(Fault::new(body.from, what))
            }
        }
    }
}

/// It has no result if the query has none.
fn may_be_absent(expr: &Expr) -> bool {
    matches!(
        expr.node,
        Node::Series(_, Shape::Value) | Node::Function(Function::First | Function::Last | Function::Float, _)
    )
}

fn unlike(a: Kind, b: Kind) -> String {
    match (a, b) {
        (Kind::Number, Kind::Truth) | (Kind::Truth, Kind::Number) => {
            "a number is never true or false: compare with 1 or 0".into()
        }
        (Kind::Number, Kind::Text) | (Kind::Text, Kind::Number) => "a number is never equal to a text".into(),
        _ => format!("{} and {} cannot be compared", a.shown(), b.shown()),
    }
}

fn same(a: Kind, b: Kind, at: usize) -> Result<Kind, Fault> {
    match (a, b) {
        (a, b) if a == b => Ok(a),
        (Kind::Empty, list @ (Kind::Numbers | Kind::Truths))
        | (list @ (Kind::Numbers | Kind::Truths), Kind::Empty) => Ok(list),
        _ => Err(Fault::new(at, format!("this is {} or {}: make it one of them", a.shown(), b.shown()))),
    }
}
