//! What a condition is made of: how deep it is, which names occur in it and how, and what takes the place of what CEL
//! does not have.

use cel::{
    Context, IdedExpr, Value,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators},
};

/// Names of what the canary's query yields.
pub(super) const CANARY: [&str; 2] = ["result", "canary"];
/// What the same query yields for the primary.
pub(super) const PRIMARY: &str = "primary";
/// Functions that take the list of all series.
const OF_LISTS: [&str; 6] = ["len", "size", "min", "max", "sum", "mean"];
/// Functions that tell what is not there from what is.
const OF_ABSENCE: [&str; 5] = ["len", "size", "isNaN", "isNil", "default"];

/// How a name occurs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// At all.
    pub(super) named: bool,
    /// As a list: indexed, measured or gone through. Otherwise it is a number.
    pub(super) list: bool,
    /// At another place than the first.
    pub(super) placed: bool,
}

/// `and`, `or` and `not` as CEL writes them, outside quotes.
pub(super) fn words(text: &str) -> String {
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
pub(super) fn brackets(text: &str) -> usize {
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

/// Levels of the tree.
pub(super) fn deep(expr: &IdedExpr) -> usize {
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

/// What occurs in an expression.
#[derive(Default)]
pub(super) struct Found {
    pub(super) canary: Use,
    pub(super) primary: Use,
    pub(super) absence: bool,
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

    pub(super) fn expr(&mut self, expr: &IdedExpr, loops: usize) -> Result<(), String> {
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
pub(super) fn fractions(expr: &mut IdedExpr) {
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
pub(super) fn defaults(expr: &mut IdedExpr, cx: &Context<'_, '_>) {
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
