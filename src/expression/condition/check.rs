//! Checks that every name is known and every value has the right type before a condition is evaluated. Mistakes are
//! refused with their position, also in parts that no value has reached yet.

use super::{
    constant,
    fault::Fault,
    joined,
    names::{call, loop_of, method, unknown},
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

    pub(super) fn numbers(self) -> bool {
        matches!(self, Self::Numbers | Self::Empty)
    }
}

/// How a name is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// At all.
    pub(super) named: bool,
    /// As one value: one of its series.
    pub(super) element: bool,
    /// With an index other than the first.
    pub(super) placed: bool,
}

/// The value in a loop.
#[derive(Clone, Debug)]
struct Each {
    name: String,
    kind: Kind,
    /// The values come from the canary's query.
    canary: bool,
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
    /// It calls the canary's values both result and canary.
    pub(super) two_names: bool,
    /// The last of these names.
    called: Option<String>,
    /// The value in the enclosing loop.
    each: Option<Each>,
}

impl Checker {
    fn side(&mut self, side: Side) -> &mut Use {
        match side {
            Side::Canary => &mut self.canary,
            Side::Primary => &mut self.primary,
        }
    }

    /// Notes a check whether `of` is there, or a number. Only what is asked about the canary counts, and not about the
    /// number of its series, which is always there. Within a loop no value is asked if there is none, and what a loop
    /// leaves of a list may be nothing while there is an answer.
    pub(super) fn asks(&mut self, of: &Expr) {
        let canary = of.measures(Side::Canary);
        self.oddity |= canary || of.names_each() && self.each.as_ref().is_some_and(|each| each.canary);
        self.absence |= self.each.is_none() && !of.loops() && canary && !of.names(Side::Primary);
    }

    /// Notes a comparison. The number of the canary's series says whether there are any if it is compared with a
    /// constant that is between none and one.
    fn compares(&mut self, operator: Operator, left: &Expr, right: &Expr) -> Result<(), Fault> {
        for (of, operator, limit) in [(left, operator, right), (right, operator.mirrored(), left)] {
            if let Node::Function(Function::Length, arguments) = &of.node
                && let [only @ Expr { node: Node::Series(..), .. }] = arguments.as_slice()
                && constant::tells_none(operator, limit)
            {
                self.asks(only);
            }
        }
        constant::open(operator, left, right)
    }

    /// Notes that one element of a list is used: which series it is depends on their order.
    pub(super) fn takes(&mut self, list: &Expr, first: bool) {
        for side in list.elements_of() {
            let found = self.side(side);
            found.element = true;
            found.placed |= !first;
        }
    }

    /// The type of an expression if `shape` is wanted of a query's result. Names and calls are looked up.
    pub(super) fn kind(&mut self, expr: &mut Expr, shape: Shape) -> Result<Kind, Fault> {
        let at = expr.from;
        self.look_up(expr, shape)?;
        let kind = match &mut expr.node {
            Node::Number(_) | Node::Series(_, Shape::Value) => Kind::Number,
            Node::Truth(_) => Kind::Truth,
            Node::Text => Kind::Text,
            Node::Nothing => Kind::Nothing,
            Node::Series(_, Shape::List) => Kind::Numbers,
            Node::Each => self.each.as_ref().map_or(Kind::Number, |each| each.kind),
            Node::List(items) => self.list(items)?,
            Node::Index(list, place) => self.index(list, place)?,
            Node::Not(of) => self.wants(of, Kind::Truth, "not")?,
            Node::Minus(of) => self.wants(of, Kind::Number, "-")?,
            Node::Binary(operator, left, right) => self.binary(*operator, left, right, at)?,
            Node::Choice(parts) => {
                let [asked, yes, no] = parts;
                self.wants(asked, Kind::Truth, "?")?;
                constant::measured(asked)?;
                let kind = same(self.kind(yes, shape)?, self.kind(no, shape)?, at)?;
                constant::differs(yes, no, at)?;
                kind
            }
            Node::Function(function, arguments) => self.function(*function, arguments, at)?,
            Node::Loop(kind, list, body) => self.body(*kind, list, body)?,
            Node::Default(value, instead) => {
                let instead_kind = self.kind(instead, shape)?;
                let listed = matches!(instead_kind, Kind::Numbers | Kind::Truths | Kind::Empty);
                let shape = if listed { Shape::List } else { Shape::Value };
                let kind = self.kind(value, shape)?;
                self.asks(value);
                same(kind, instead_kind, at)?
            }
            Node::Name(name) | Node::Call(name, _) | Node::Method(name, ..) => return Err(unknown(name, at)),
        };
        if kind == Kind::Number {
            constant::finite(expr)?;
        }
        Ok(kind)
    }

    fn look_up(&mut self, expr: &mut Expr, shape: Shape) -> Result<(), Fault> {
        let at = expr.from;
        let node = std::mem::replace(&mut expr.node, Node::Nothing);
        expr.node = match node {
            Node::Name(name) if self.each.as_ref().is_some_and(|each| each.name == name) => Node::Each,
            Node::Name(name) => {
                let side = match name.as_str() {
                    "result" | "canary" => Side::Canary,
                    "primary" => Side::Primary,
                    _ => return Err(unknown(&name, at)),
                };
                if side == Side::Canary {
                    self.two_names |= self.called.as_ref().is_some_and(|other| *other != name);
                    self.called = Some(name);
                }
                let found = self.side(side);
                found.named = true;
                found.element |= shape == Shape::Value;
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
                self.each = Some(Each { name: each, kind: Kind::Number, canary: false });
                Node::Loop(kind, of, Box::new(body))
            }
            other => other,
        };
        Ok(())
    }

    pub(super) fn wants(&mut self, expr: &mut Expr, wanted: Kind, by: &str) -> Result<Kind, Fault> {
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
            if !item.elements_of().is_empty() {
                let what = "a list cannot stand in a list: name one value, as in result[0]";
                return Err(Fault::new(item.from, what));
            }
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
        self.takes(list, matches!(place.node, Node::Number(n) if n == 0.0));
        Ok(kind)
    }

    /// The type of `left in right`.
    fn within(&mut self, left: &mut Expr, right: &mut Expr, at: usize) -> Result<Kind, Fault> {
        let one = self.kind(left, Shape::Value)?;
        let of = match self.kind(right, Shape::List)? {
            Kind::Numbers => Kind::Number,
            Kind::Truths => Kind::Truth,
            Kind::Empty => return Err(Fault::new(right.from, "the list is empty: nothing is in it")),
            other => {
                let what = format!("in looks into a list, and this is {}", other.shown());
                return Err(Fault::new(right.from, what));
            }
        };
        if one != of || !matches!(one, Kind::Number | Kind::Truth) {
            return Err(Fault::new(at, unlike(one, of)));
        }
        self.compares(Operator::In, left, right)?;
        Ok(Kind::Truth)
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
                for side in [&mut *left, &mut *right] {
                    self.wants(side, Kind::Truth, "and and or")?;
                    constant::measured(side)?;
                }
                joined::open(operator, left, right)?;
                Ok(Kind::Truth)
            }
            O::Add | O::Subtract | O::Multiply | O::Divide | O::Remainder => {
                self.wants(left, Kind::Number, "arithmetic")?;
                self.wants(right, Kind::Number, "arithmetic")?;
                constant::calculates(operator, left, right)?;
                Ok(Kind::Number)
            }
            O::Less | O::More | O::AtMost | O::AtLeast => {
                for side in [&mut *left, &mut *right] {
                    let found = self.kind(side, Shape::Value)?;
                    if found != Kind::Number {
                        let what = format!("< and > compare numbers, and this is {}", found.shown());
                        return Err(Fault::new(side.from, what));
                    }
                }
                self.compares(operator, left, right)?;
                Ok(Kind::Truth)
            }
            O::In => self.within(left, right, at),
            O::Equal | O::Unequal => {
                let (a, b) = (self.kind(left, Shape::Value)?, self.kind(right, Shape::Value)?);
                match (a, b) {
                    (Kind::Number, Kind::Number) | (Kind::Truth, Kind::Truth) => {
                        self.compares(operator, left, right)?;
                    }
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
        self.each = each.map(|each| Each { kind: one, canary: list.names(Side::Canary), ..each });
        let yields = self.kind(body, Shape::Value)?;
        self.each = None;
        if yields == Kind::Truth {
            constant::measured(body)?;
        }
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
    use Function as F;
    let absent = |function| matches!(function, F::First | F::Last | F::Float | F::Min | F::Max);
    matches!(expr.node, Node::Series(_, Shape::Value))
        || matches!(expr.node, Node::Function(function, _) if absent(function))
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
