//! Conditions of users in CEL, over what a query yields.
//!
//! Owns their language: CEL with `len`, `min`, `max`, `sum`, `mean`, `isNaN`, `isInf`, `isNil`, `asFloat`, `asInt` and
//! `default`, the words `and`, `or` and `not`, and whole numbers that may stand beside fractions. Bounded in length and depth: the text is a user's.
//! Does not decide what a condition that holds means: `verdict` does.

use cel::{
    Context, IdedExpr, Value,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators},
    parser::PrattParser,
};

/// Longest text, in bytes; the schema says the same.
const LONGEST: usize = 512;
/// Deepest nesting, and of brackets.
const DEEPEST: u16 = 32;
const BRACKETS: usize = 16;
/// Deepest tree, which a sum of so many terms is as well.
const MOST_DEEP: usize = 20;
/// Most series that a condition is asked about.
pub(super) const MOST_SERIES: usize = 100;

/// Names of what the canary's query yields.
const CANARY: [&str; 2] = ["result", "canary"];
const PRIMARY: &str = "primary";
/// Functions that take the list of all series.
const OF_LISTS: [&str; 6] = ["len", "size", "min", "max", "sum", "mean"];
/// Functions that tell what is not there from what is.
const OF_ABSENCE: [&str; 5] = ["len", "size", "isNaN", "isNil", "default"];

/// A condition that can be asked.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    text: String,
    root: IdedExpr,
    canary: Use,
    primary: Use,
    absence: bool,
}

/// How a name occurs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Use {
    /// At all.
    named: bool,
    /// As a list: indexed, measured or gone through. Otherwise it is a number.
    list: bool,
    /// At another place than the first.
    placed: bool,
}

impl Condition {
    /// Reads a condition. Err: what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it has more than {LONGEST} characters"));
        }
        if brackets(text) > BRACKETS {
            return Err(format!("it has more than {BRACKETS} brackets inside one another"));
        }
        let parser = PrattParser::new().max_recursion_depth(DEEPEST);
        let mut root = parser.parse(&words(text)).map_err(|errors| in_a_line(&errors.to_string()))?;
        if deep(&root) > MOST_DEEP {
            return Err("it is nested too deep, or has too many terms in a row".into());
        }
        let mut found = Found::default();
        found.expr(&root, 0)?;
        fractions(&mut root);
        let [canary, primary] = [found.canary, found.primary];
        if !canary.named {
            return Err("it does not depend on the measured value: name result".into());
        }
        let condition = Self { text: text.trim().to_owned(), root, canary, primary, absence: found.absence };
        condition.try_out()?;
        Ok(condition)
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// It is about the primary as well.
    pub(super) fn compares(&self) -> bool {
        self.primary.named
    }

    /// It says itself what a query without data means.
    pub(super) fn knows_absence(&self) -> bool {
        self.absence
    }

    /// Says the same as another one.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        plain(&self.text) == plain(&other.text)
    }

    /// Whether it holds, once for each series where it looks at one. Never empty. Err: it has no answer.
    pub(super) fn holds(&self, canary: &[f64], primary: &[f64]) -> Result<Vec<bool>, String> {
        if canary.len().max(primary.len()) > MOST_SERIES {
            return Err(format!("the query yields more than {MOST_SERIES} series"));
        }
        let each = !(self.canary.list && self.canary.placed) && canary.len() > 1;
        let turns = if each { canary.len() } else { 1 };
        let mut all = Vec::with_capacity(turns);
        for turn in 0..turns {
            let mut values = canary.to_vec();
            values.rotate_left(turn);
            all.push(self.once(&values, primary)?);
        }
        Ok(all)
    }

    fn once(&self, canary: &[f64], primary: &[f64]) -> Result<bool, String> {
        let mut cx = context()?;
        for name in CANARY {
            cx.add_variable_from_value(name, bound(self.canary, canary));
        }
        cx.add_variable_from_value(PRIMARY, bound(self.primary, primary));
        cx.add_variable_from_value("nil", Value::Null);
        let mut root = self.root.clone();
        defaults(&mut root, &cx);
        match cx.resolve(&root) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(other) => Err(format!("it yields {}, where true or false is wanted", kind(&other))),
            Err(error) => Err(in_a_line(&error.to_string())),
        }
    }

    /// Over a few values, one of which it has to have an answer for. What is wrong with its types shows here.
    fn try_out(&self) -> Result<(), String> {
        let tries: [&[f64]; 5] = [&[0.5], &[1.0, 2.0, 3.0, 4.0], &[99.0; 16], &[f64::NAN], &[]];
        let mut wrong = String::new();
        for values in tries {
            match self.once(values, &[1.0; 16]) {
                Ok(_) => return Ok(()),
                Err(why) if wrong.is_empty() => wrong = why,
                Err(_) => {}
            }
        }
        Err(wrong)
    }
}

fn bound(how: Use, values: &[f64]) -> Value {
    if how.list {
        return Value::List(values.iter().map(|v| Value::Float(*v)).collect::<Vec<_>>().into());
    }
    values.first().map_or(Value::Null, |v| Value::Float(*v))
}

fn context() -> Result<Context<'static, 'static>, String> {
    let mut cx = Context::default();
    let added = [
        cx.add_function("len", |list: List| i64::try_from(list.len()).unwrap_or(i64::MAX)),
        cx.add_function("min", |list: List| folded(&list, f64::min)),
        cx.add_function("max", |list: List| folded(&list, f64::max)),
        cx.add_function("sum", |list: List| numbers(&list).sum::<f64>()),
        cx.add_function("mean", |list: List| numbers(&list).sum::<f64>() / list.len() as f64),
        cx.add_function("isNaN", |v: Value| number(&v).is_some_and(f64::is_nan)),
        cx.add_function("isInf", |v: Value| number(&v).is_some_and(f64::is_infinite)),
        cx.add_function("isNil", |v: Value| matches!(v, Value::Null)),
        cx.add_function("asFloat", |v: Value| number(&v).map_or(Value::Null, Value::Float)),
        cx.add_function("asInt", |v: Value| number(&v).map_or(Value::Null, |n| Value::Float(n.trunc()))),
    ];
    added.into_iter().collect::<Result<Vec<()>, _>>().map_err(|e| e.to_string())?;
    Ok(cx)
}

type List = std::sync::Arc<Vec<Value>>;

fn numbers(list: &List) -> impl Iterator<Item = f64> {
    list.iter().map(|v| number(v).unwrap_or(f64::NAN))
}

/// Of nothing: not a number; a value that is none makes the whole none.
fn folded(list: &List, with: fn(f64, f64) -> f64) -> f64 {
    let both = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { with(a, b) };
    numbers(list).reduce(both).unwrap_or(f64::NAN)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(n) => Some(*n),
        Value::Int(n) => Some(*n as f64),
        Value::UInt(n) => Some(*n as f64),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Float(_) | Value::Int(_) | Value::UInt(_) => "a number",
        Value::String(_) => "a text",
        Value::List(_) => "a list",
        Value::Null => "nothing",
        _ => "something else",
    }
}

/// `and`, `or` and `not` as CEL writes them, outside quotes.
fn words(text: &str) -> String {
    let (mut out, mut word, mut quote) = (String::new(), String::new(), None);
    let close = |out: &mut String, word: &mut String| {
        out.push_str(match word.as_str() {
            "and" => "&&",
            "or" => "||",
            "not" => "!",
            other => other,
        });
        word.clear();
    };
    for c in text.chars() {
        if quote.is_none() && (c.is_alphanumeric() || c == '_') {
            word.push(c);
            continue;
        }
        close(&mut out, &mut word);
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
        out.push(c);
    }
    close(&mut out, &mut word);
    out
}

/// Most brackets that are open at one place, those in quotes counted as well.
fn brackets(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

fn deep(expr: &IdedExpr) -> usize {
    let most = |all: &[IdedExpr]| all.iter().map(deep).max().unwrap_or(0);
    1 + match &expr.expr {
        Expr::Call(call) => most(&call.args).max(call.target.as_deref().map_or(0, deep)),
        Expr::Comprehension(all) => {
            let parts = [&all.iter_range, &all.accu_init, &all.loop_cond, &all.loop_step, &all.result];
            parts.into_iter().map(deep).max().unwrap_or(0)
        }
        Expr::List(list) => most(&list.elements),
        Expr::Select(select) => deep(&select.operand),
        Expr::Map(_) | Expr::Struct(_) | Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => 0,
    }
}

fn in_a_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("ERROR: <input>:").chars().take(200).collect()
}

/// What occurs in an expression.
#[derive(Default)]
struct Found {
    canary: Use,
    primary: Use,
    absence: bool,
}

impl Found {
    fn named(&mut self, expr: &IdedExpr) -> Option<&mut Use> {
        match &expr.expr {
            Expr::Ident(name) if CANARY.contains(&name.as_str()) => Some(&mut self.canary),
            Expr::Ident(name) if name == PRIMARY => Some(&mut self.primary),
            _ => None,
        }
    }

    fn list(&mut self, expr: &IdedExpr) {
        if let Some(found) = self.named(expr) {
            found.list = true;
        }
    }

    fn expr(&mut self, expr: &IdedExpr, loops: usize) -> Result<(), String> {
        if let Some(found) = self.named(expr) {
            found.named = true;
        }
        match &expr.expr {
            Expr::Call(call) => self.call(call, loops)?,
            Expr::Comprehension(all) => self.comprehension(all, loops)?,
            Expr::List(list) => list.elements.iter().try_for_each(|e| self.expr(e, loops))?,
            Expr::Select(select) => self.expr(&select.operand, loops)?,
            Expr::Map(_) | Expr::Struct(_) => return Err("objects in braces are not served".into()),
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
        Ok(())
    }

    fn call(&mut self, call: &CallExpr, loops: usize) -> Result<(), String> {
        let name = call.func_name.as_str();
        self.absence |= OF_ABSENCE.contains(&name);
        if name == "default" && (call.args.len() != 2 || loops > 0) {
            return Err(
                "default takes a value and what stands for it, outside of all, exists, map and filter".into(),
            );
        }
        if let Some(target) = &call.target {
            self.list(target);
            self.expr(target, loops)?;
        }
        if OF_LISTS.contains(&name) {
            call.args.iter().for_each(|arg| self.list(arg));
        }
        if let (operators::INDEX, [list, index]) = (name, call.args.as_slice()) {
            self.list(list);
            let first = matches!(&index.expr, Expr::Literal(LiteralValue::Int(n)) if *n.inner() == 0);
            if let Some(found) = self.named(list) {
                found.placed |= !first;
            }
        }
        if name == operators::IN {
            call.args.iter().skip(1).for_each(|arg| self.list(arg));
        }
        call.args.iter().try_for_each(|arg| self.expr(arg, loops))
    }

    fn comprehension(&mut self, all: &ComprehensionExpr, loops: usize) -> Result<(), String> {
        if loops > 0 {
            return Err("one of all, exists, map and filter inside another is not served".into());
        }
        self.list(&all.iter_range);
        self.expr(&all.iter_range, loops)?;
        [&all.accu_init, &all.loop_cond, &all.loop_step, &all.result]
            .into_iter()
            .try_for_each(|e| self.expr(e, loops + 1))
    }
}

/// Whole numbers become fractions, but for places in lists: CEL does not calculate with both.
fn fractions(expr: &mut IdedExpr) {
    match &mut expr.expr {
        Expr::Literal(literal) => {
            if let LiteralValue::Int(n) = literal {
                *literal = LiteralValue::Double((*n.inner() as f64).into());
            }
        }
        Expr::Call(call) => {
            if let Some(target) = &mut call.target {
                fractions(target);
            }
            let all = if call.func_name == operators::INDEX { 1 } else { call.args.len() };
            call.args.iter_mut().take(all).for_each(fractions);
        }
        Expr::Comprehension(all) => {
            fractions(&mut all.iter_range);
            fractions(&mut all.loop_step);
        }
        Expr::List(list) => list.elements.iter_mut().for_each(fractions),
        Expr::Select(select) => fractions(&mut select.operand),
        Expr::Map(map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    fractions(&mut entry.value);
                }
            }
        }
        Expr::Ident(_) | Expr::Struct(_) | Expr::Unspecified => {}
    }
}

/// `default(a, b)` is `a`, or `b` where there is no `a`.
fn defaults(expr: &mut IdedExpr, cx: &Context<'_, '_>) {
    if let Expr::Call(call) = &mut expr.expr {
        if let Some(target) = &mut call.target {
            defaults(target, cx);
        }
        call.args.iter_mut().for_each(|arg| defaults(arg, cx));
        if call.func_name == "default"
            && let [value, instead] = call.args.as_slice()
        {
            let there = match cx.resolve(value) {
                Ok(Value::List(list)) => !list.is_empty(),
                Ok(found) => !matches!(found, Value::Null),
                Err(_) => false,
            };
            *expr = if there { value.clone() } else { instead.clone() };
        }
    } else if let Expr::List(list) = &mut expr.expr {
        list.elements.iter_mut().for_each(|e| defaults(e, cx));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str, values: &[f64]) -> Result<bool, String> {
        let all = Condition::parse(text)?.holds(values, &[0.5])?;
        Ok(all.iter().all(|held| *held))
    }

    #[test]
    fn conditions_of_the_source_documents_work_as_they_are_written() {
        let cases: [(&str, &[f64], bool); 26] = [
            ("result[0] >= 0.95", &[0.95], true),
            ("result[0] >= 0.95", &[0.94], false),
            ("result[0] > 0.95", &[1.0], true),
            ("result[0] >= 1", &[1.0], true),
            ("result[0] <= 500", &[499.5], true),
            ("result <= 500", &[501.0], false),
            ("result >= 0.8", &[0.8], true),
            ("len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99", &[], true),
            ("len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99", &[f64::NAN], true),
            ("len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99", &[0.98], false),
            ("len(result) == 0 or isNaN(result[0]) or result[0] >= 0.99", &[], true),
            ("len(result) > 0 and not (result[0] < 0.99)", &[0.99], true),
            ("isNaN(result) || result >= 0.99", &[f64::NAN], true),
            ("default(result[0], 1) >= 0.99", &[], true),
            ("default(result, 0) >= 0.99", &[], false),
            ("default(result, 0) >= 0.99", &[1.0], true),
            ("asFloat(result[0]) * 100 > 95", &[0.96], true),
            ("asInt(result[0]) == 3", &[3.7], true),
            ("isInf(result[0])", &[1.0], false),
            ("isNil(result)", &[], true),
            ("result.all(x, x > 0.5) && size(result) == 2", &[0.6, 0.7], true),
            ("result.exists(x, x * 2 > 3)", &[0.6, 1.6], true),
            ("mean(result) == 0.5 && sum(result) == 1 && min(result) == 0", &[0.0, 1.0], true),
            ("len(result) > 0 && mean(result) > 0", &[], false),
            ("max(result) < 2 && result[1] == 1", &[0.0, 1.0], true),
            ("result[len(result) - 1] > 1", &[0.0, 2.0], true),
        ];
        for (text, values, wanted) in cases {
            assert_eq!(one(text, values), Ok(wanted), "{text} of {values:?}");
        }
    }

    #[test]
    fn every_series_is_looked_at() {
        assert_eq!(
            Condition::parse("result[0] > 1").unwrap().holds(&[2.0, 0.0, 3.0], &[]).unwrap(),
            [true, false, true]
        );
        assert_eq!(Condition::parse("result > 1").unwrap().holds(&[2.0, 0.0], &[]).unwrap(), [true, false]);
        assert_eq!(Condition::parse("result[1] > 1").unwrap().holds(&[2.0, 0.0], &[]).unwrap(), [false]);
        assert!(Condition::parse("result > 1").unwrap().holds(&[0.0; MOST_SERIES + 1], &[]).is_err());
    }

    #[test]
    fn canary_and_primary_are_compared() {
        let beside = Condition::parse("canary[0] <= primary[0] * 1.5 + 0.01").unwrap();
        assert!(beside.compares());
        assert_eq!(beside.holds(&[0.3], &[0.2]), Ok(vec![true]));
        assert_eq!(beside.holds(&[0.4], &[0.2]), Ok(vec![false]));
        assert!(!Condition::parse("result > 1").unwrap().compares());
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        let cases = [
            ("result[0] >", "Syntax error"),
            ("result[0]", "it yields a number"),
            ("len(result)", "it yields a number"),
            ("1 == 1", "does not depend on the measured value"),
            ("primary > 1", "does not depend on the measured value"),
            ("rusult[0] > 1", "does not depend on the measured value"),
            ("result[0] > treshold", "treshold"),
            ("nope(result)", "nope"),
            ("result[0] > 'a'", "overload"),
            ("(((((((((((((((((result > 1)))))))))))))))))", "brackets"),
            ("default(result) > 1", "default takes"),
            ("result.all(x, result.all(y, x > y))", "inside another"),
            ("", ""),
        ];
        for (text, why) in cases {
            let said = Condition::parse(text).expect_err(text);
            assert!(said.contains(why) && !said.contains('\n'), "{text}: {said}");
        }
        assert!(Condition::parse(&"x".repeat(513)).is_err());
    }

    #[test]
    fn only_what_is_asked_about_absence_decides_about_it() {
        let knows = |text: &str| Condition::parse(text).unwrap().knows_absence();
        assert!(knows("len(result) == 0 || result[0] > 1") && knows("default(result, 1) > 0"));
        assert!(!knows("result[0] > 1") && !knows("!(result[0] < 1)"));
    }

    #[test]
    fn nothing_overflows_the_stack() {
        let parts = [
            ("(", ")"),
            ("!", ""),
            ("-", ""),
            ("[", "]"),
            ("result[0] > 1 ? true : ", ""),
            ("1 + ", ""),
            ("isNaN(", ")"),
        ];
        for (open, close) in parts {
            for times in [31, 100, 400] {
                let text = format!("{}result{}", open.repeat(times), close.repeat(times));
                let cut: String = text.chars().take(LONGEST).collect();
                drop(Condition::parse(&cut).map(|c| c.holds(&[1.0], &[])));
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z0-9 ()\\[\\]<>=!&|.,+*/?:'\"_-]{0,60}", value in any::<f64>()) {
            drop(Condition::parse(&text).map(|c| c.holds(&[value], &[])));
        }

        #[test]
        fn words_that_make_sense_do_not_panic(
            parts in proptest::collection::vec(prop::sample::select(vec![
                "result", "[0]", " >= ", "0.5", "1", " && ", " || ", "isNaN(", "len(", "(", ")", "default(", ", ", "!", "primary", ".all(x, x", " in ", "?", ":", "-", "%", "/", "9223372036854775807",
            ]), 0..12),
            value in any::<f64>(),
        ) {
            drop(Condition::parse(&parts.concat()).map(|c| c.holds(&[value], &[value, 1.0])));
        }
    }
}
