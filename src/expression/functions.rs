//! What conditions can call beside what CEL has: `len`, `min`, `max`, `sum`, `mean`, `isNaN`, `isInf`, `isNil`, `asFloat`
//! and `asInt`. `default` is none of them: `expr` puts something else in its place.

use std::sync::{Arc, LazyLock};

use cel::{Context, Value};

type List = Arc<Vec<Value>>;

/// Made once: to declare what CEL has takes longer than to ask a condition. Err: a name is taken.
static ALL: LazyLock<Result<Context<'static, 'static>, String>> = LazyLock::new(all);

/// All functions, with room for names.
pub(super) fn scope() -> Result<Context<'static, 'static>, String> {
    ALL.as_ref().map(Context::new_inner_scope).map_err(Clone::clone)
}

fn all() -> Result<Context<'static, 'static>, String> {
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
