//! Checks that functions get the values that they take.

use super::{
    check::{Checker, Kind},
    fault::Fault,
    names::name_of,
    tree::{Expr, Function, Shape},
};

impl Checker {
    /// The type of a call.
    pub(super) fn function(
        &mut self,
        function: Function,
        arguments: &mut [Expr],
        at: usize,
    ) -> Result<Kind, Fault> {
        use Function as F;
        let name = name_of(function);
        let list =
            matches!(function, F::Length | F::Sum | F::Mean | F::Median | F::Count | F::First | F::Last);
        let [only] = arguments else {
            if matches!(function, F::Min | F::Max) && !arguments.is_empty() {
                for argument in arguments {
                    self.numbers(argument, name)?;
                }
                return Ok(Kind::Number);
            }
            let hint = if function == F::Count { ": write len(result.filter(x, x > 0.9))" } else { "" };
            let what = format!("{name} takes one {}{hint}", if list { "list" } else { "value" });
            return Err(Fault::new(at, what));
        };
        if matches!(function, F::Min | F::Max) {
            return self.numbers(only, name);
        }
        if list {
            let kind = self.kind(only, Shape::List)?;
            if let F::First | F::Last = function {
                self.takes(only, function == F::First);
            }
            let fits = match function {
                F::Count => matches!(kind, Kind::Truths | Kind::Empty),
                F::Length => kind.numbers() || kind == Kind::Truths,
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

    /// One of the arguments of `min` and `max`: a number or a list of them.
    fn numbers(&mut self, argument: &mut Expr, by: &str) -> Result<Kind, Fault> {
        match self.kind(argument, Shape::List)? {
            // such as default(result, 0): all series, or one number
            Kind::Number if !argument.elements_of().is_empty() => {
                let what = "this is a list or a number: name one value, as in result[0]";
                Err(Fault::new(argument.from, what))
            }
            kind if kind.numbers() || kind == Kind::Number => Ok(Kind::Number),
            kind => {
                let what = format!("{by} takes numbers and lists of numbers, and this is {}", kind.shown());
                Err(Fault::new(argument.from, what))
            }
        }
    }
}
