//! Numbers on which two other implementations agree.

use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("vectors.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn number(of: &Value, name: &str) -> Option<f64> {
    match of.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text == "inf" => Some(f64::INFINITY),
        other => panic!("{name} is {other}"),
    }
}

fn settings(of: &Value) -> Settings {
    let known = ["floor", "floor_ok", "metrics", "warm_times", "warmup"];
    assert!(of.as_object().unwrap().keys().all(|name| known.contains(&name.as_str())), "{of}");
    let usual = Settings::default();
    Settings {
        floor: number(of, "floor").unwrap_or(usual.floor),
        floor_ok: number(of, "floor_ok").unwrap_or(usual.floor_ok),
        metrics: number(of, "metrics").map_or(usual.metrics, |metrics| metrics as u32),
        warmup: number(of, "warmup").unwrap_or(usual.warmup),
        wide: match number(of, "warm_times") {
            Some(times) if times.is_infinite() => Wide::NotJudged,
            Some(times) => Wide::Times(times),
            None => usual.wide,
        },
        ..usual
    }
}

fn counts(of: &Value) -> Counts {
    Counts { all: of[0].as_u64().unwrap(), bad: of[1].as_u64().unwrap() }
}

fn evidence(of: &Value) -> Evidence {
    let settings = settings(&of["params"]);
    let known = &of["known"];
    let mut evidence = Evidence::new(Known {
        burst: number(known, "phi"),
        lasts: number(known, "lasts").unwrap_or(1.0),
        usual: number(known, "usual"),
    });
    for one in of["looks"].as_array().unwrap() {
        let side = |at: usize| Counts { all: one[at].as_u64().unwrap(), bad: one[at + 1].as_u64().unwrap() };
        let look = Look { canary: side(0), primary: side(2), seconds: one[4].as_f64().unwrap() };
        evidence.look(&settings, &look);
    }
    evidence
}

fn same(name: &str, what: &str, found: f64, wanted: &Value) {
    let wanted = wanted.as_f64().unwrap();
    assert!((found - wanted).abs() < 1e-6, "{name}: {what} is {found}, not {wanted}");
}

#[test]
fn looks_come_to_what_other_implementations_say() {
    let all = vectors();
    let all = all["looks"].as_array().unwrap();
    assert_eq!(all.len(), 29);
    for one in all {
        let (name, out) = (one["name"].as_str().unwrap(), &one["out"]);
        let (settings, evidence) = (settings(&one["params"]), evidence(one));
        let found = evidence.finding(&settings);
        same(name, "e_rel", found.relative, &out["e_rel"]);
        same(name, "e_abs", found.absolute, &out["e_abs"]);
        same(name, "e_worse", found.evidence, &out["e_worse"]);
        same(name, "e_ok", found.evidence_ok, &out["e_ok"]);
        same(name, "cash", evidence.cash(), &out["cash"]);
        // `ok` in the vectors ignores whether the canary is worse
        let ok = out["ok"].as_bool().unwrap() && !out["worse"].as_bool().unwrap();
        let words = (found.worse, found.no_worse, found.trouble, found.warm);
        let flag = |name: &str| out[name].as_bool().unwrap();
        assert_eq!(words, (flag("worse"), ok, flag("trouble"), flag("warm")), "{name}");
        let Some(ends) = out["shown"].as_array() else {
            assert_eq!(evidence.shown(), None, "{name}");
            continue;
        };
        let shown = evidence.shown().unwrap();
        let found = [shown.canary, shown.primary, shown.difference].map(|(low, high)| [low, high]).concat();
        for (found, wanted) in found.into_iter().zip(ends) {
            same(name, "an end of an interval", found, wanted);
        }
    }
}

#[test]
fn histories_show_what_other_implementations_see_in_them() {
    let all = vectors();
    let all = all["histories"].as_array().unwrap();
    assert_eq!(all.len(), 7);
    for one in all {
        let (name, out) = (one["name"].as_str().unwrap(), &one["out"]);
        let windows = |of: &Value| of.as_array().unwrap().iter().map(counts).collect::<Vec<_>>();
        let found = match one.get("pods") {
            None => History::Windows(&windows(&one["windows"])).measure(),
            Some(pods) => {
                let pods: Vec<_> = pods.as_array().unwrap().iter().map(windows).collect();
                History::Pods(&pods).measure()
            }
        };
        same(name, "burst", found.burst, &out["burst"]);
        same(name, "lasts", found.lasts, &out["lasts"]);
        same(name, "usual", found.usual, &out["usual"]);
        assert_eq!(found.pairs as u64, out["pairs"].as_u64().unwrap(), "{name}");
        let known = found.known();
        assert_eq!(known.burst.is_some(), found.pairs >= 30, "{name}");
    }
}
