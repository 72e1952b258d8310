//! Generated specs, answers and events for the property tests, and the effect of each event on a model.

mod edited;
mod scalers;
mod together;
mod verdicts;

use std::time::Duration;

use edited::refusable;
pub(crate) use edited::{Edited, all_is_well};
use jiff::SignedDuration;
use proptest::{collection::vec, prelude::*, strategy::Union};
pub(crate) use scalers::Scaled;
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    snapshot::{CONFIG_MAP, DEPLOYMENT, HPA, Kind, ObjectRef, SCALED_OBJECT, SECRET, SERVICE},
};
use serin_model::{Sim, Trouble, fixture, pods::Mode, route, time, world::World};
pub(crate) use together::{beside, two};
pub(crate) use verdicts::{all_well, answer, badness, judged_spec};

/// An event.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Time passes, in seconds.
    Pass(u64),
    /// A metric has this reading from now on.
    Reads(&'static str, Reading),
    /// The behaviour of a Deployment's pods.
    Pods(&'static str, Mode),
    /// Whether EndpointSlices are late.
    Late(bool),
    /// The target gets an image.
    Image(u8),
    /// The target is deleted and created again with an image.
    Recreate(u8),
    /// The target's replicas are set.
    Replicas(i64),
    /// An event about autoscalers.
    Scaled(Scaled),
    /// The primary is deleted.
    DropPrimary,
    /// Somebody sets another template for the primary.
    EditPrimary,
    /// Weights are edited by hand.
    Weights(i64),
    /// The route is deleted.
    DropRoute,
    /// The apex Service is pointed at the target.
    EditApex,
    /// The spec is edited.
    Spec(Value),
    /// A request by annotation.
    Request(&'static str),
    /// A request with this verb for the revision under analysis, with a new id or a used one.
    Ask(&'static str, Option<u8>),
    /// Whether the Canary is suspended.
    Suspend(bool),
    /// The Canary is deleted, with this `revertOnDeletion`.
    Delete(Option<bool>),
    /// The next plan goes wrong.
    Trouble(Trouble),
    /// The ConfigMap that the target uses gets these contents.
    Config(u8),
    /// The ConfigMap is deleted.
    DropConfig,
    /// The Secret that the target may use is created with these contents.
    Secret(u8),
    /// The clock changes by this many seconds.
    Clock(i64),
    /// An interference.
    Edited(Edited),
}

const SIDES: [&str; 2] = ["podinfo", "podinfo-primary"];

pub(crate) fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => Just(99.0), 4 => Just(100.0), 2 => 0.0..99.0, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY), 1 => Just(-0.0), 1 => Just(f64::MIN_POSITIVE / 2.0), 1 => Just(98.999),
    ]
}

pub(crate) fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        6 => Just(Reading::Values(vec![99.5])),
        2 => vec(value(), 0..4).prop_map(Reading::Values),
        1 => Just(Reading::NoData("nothing".into())),
        2 => Just(Reading::Failed("timed out".into())),
    ]
}

/// A bad reading for any check. A missing answer counts as one.
pub(crate) fn bad_reading() -> impl Strategy<Value = Option<Reading>> {
    prop_oneof![
        Just(None),
        Just(Some(Reading::Failed("timed out".into()))),
        Just(Some(Reading::NoData("nothing".into()))),
        vec(
            prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-1.0), Just(50.0)],
            0..3
        )
        .prop_map(|values| Some(Reading::Values(values))),
        Just(Some(Reading::Values(vec![99.5, f64::NAN, 99.5]))),
    ]
}

/// Steps, promotion steps and interval. The merge removes those of the fixture.
pub(crate) fn analysis() -> impl Strategy<Value = Value> {
    let steps = prop_oneof![
        (1i32..130, proptest::option::of(0i32..130))
            .prop_map(|(step, max)| json!({"stepWeight": step.max(7), "maxWeight": max})),
        vec(prop_oneof![Just(0), Just(100), 1i32..120], 1..6).prop_map(|list| json!({"stepWeights": list})),
        vec((0i32..=100, prop_oneof![Just("1s"), Just("25s")]), 1..5).prop_map(|list| {
            let steps: Vec<Value> = list.iter().map(|(w, hold)| json!({"weight": w, "hold": hold})).collect();
            json!({"steps": steps})
        }),
        (1i32..5).prop_map(|n| json!({"iterations": n})),
    ];
    let fields = ["stepWeight", "maxWeight", "stepWeights", "steps", "iterations"];
    let steps = steps.prop_map(move |mut steps| {
        for field in fields.into_iter().filter(|field| steps.get(*field).is_none()).collect::<Vec<_>>() {
            steps[field] = Value::Null;
        }
        steps
    });
    let by_header = json!([{"headers": {"x": {"exact": "y"}}}]);
    let named = prop_oneof![
        4 => Just(json!({})),
        1 => Just(json!({"match": by_header})),
        1 => Just(json!({"always": by_header})),
        1 => Just(json!({"always": by_header, "never": [{"headers": {"x": {"exact": "z"}}}]})),
    ];
    let mirror = prop_oneof![3 => Just(Value::Null), 1 => Just(json!(true))];
    let affinity = prop_oneof![
        4 => Just(Value::Null),
        1 => Just(json!({"cookieName": "a"})),
        1 => Just(json!({"cookieName": "a", "primaryCookieName": "b"})),
    ];
    let metrics = prop_oneof![
        3 => Just(json!([{"name": "request-success-rate", "thresholdRange": {"min": 99}}])),
        1 => Just(json!([
            {"name": "request-success-rate", "thresholdRange": {"min": 99}},
            {"name": "error-rate", "query": "vector(0)", "thresholdRange": {"min": 99, "max": 100}},
        ])),
    ];
    let back = prop_oneof![Just(Value::Null), (1i32..120).prop_map(Value::from)];
    let asked = (named, mirror, affinity);
    (steps, asked, metrics, back, 1i32..5, prop_oneof![Just("10s"), Just("1s"), Just("7s")]).prop_map(
        |(mut steps, (named, mirror, affinity), metrics, back, threshold, interval)| {
            for list in ["match", "always", "never"] {
                steps[list] = named[list].clone();
            }
            steps["mirror"] = mirror;
            steps["sessionAffinity"] = affinity;
            steps["metrics"] = metrics;
            steps["stepWeightPromotion"] = back;
            steps["threshold"] = json!(threshold);
            steps["interval"] = json!(interval);
            steps
        },
    )
}

/// A valid spec.
pub(crate) fn spec() -> impl Strategy<Value = Value> {
    let settle = prop_oneof![3 => Just(Value::Null), 1 => Just(json!("0s")), 1 => Just(json!("500ms")), 1 => Just(json!("8s"))];
    let skip = prop_oneof![6 => Just(Value::Null), 1 => Just(json!(true))];
    (analysis(), settle, skip, 5i32..90, scalers::reference()).prop_map(|(analysis, settle, skip, deadline, scaler)| {
        json!({
            "analysis": analysis, "settleTime": settle, "skipAnalysis": skip, "progressDeadlineSeconds": deadline,
            "autoscalerRef": scaler,
        })
    })
}

/// A spec with which the apex Service moves users, all at once or by shares of pods, or none. Promoted at once or by
/// request.
pub(crate) fn apex_spec() -> impl Strategy<Value = Value> {
    let promotion = prop_oneof![
        3 => Just(json!({})),
        2 => Just(json!({"mode": "manual"})),
        1 => Just(json!({"after": "15s"})),
    ];
    let steps = prop_oneof![
        1 => (1i32..4).prop_map(|n| json!({"iterations": n, "steps": null})),
        2 => vec((0i32..100, prop_oneof![Just("1s"), Just("25s")]), 1..5).prop_map(|list| {
            let steps: Vec<Value> = list.iter().map(|(w, hold)| json!({"weight": w, "hold": hold})).collect();
            json!({"steps": steps, "iterations": null})
        }),
    ];
    let delay = prop_oneof![3 => Just(Value::Null), 1 => Just(json!("20s"))];
    let switch = prop_oneof![2 => Just(json!(true)), 1 => Just(Value::Null)];
    (steps, (promotion, switch), delay, 1i32..4, 20i32..90).prop_map(
        |(mut analysis, (mut promotion, switch), delay, threshold, deadline)| {
            promotion["switch"] = if analysis["iterations"].is_null() { Value::Null } else { switch };
            analysis["promotion"] = promotion;
            analysis["threshold"] = json!(threshold);
            for field in [
                "stepWeight",
                "maxWeight",
                "stepWeights",
                "match",
                "mirror",
                "sessionAffinity",
                "stepWeightPromotion",
            ] {
                analysis[field] = Value::Null;
            }
            json!({
                "provider": "kubernetes", "analysis": analysis, "canaryScaleDownDelay": delay,
                "progressDeadlineSeconds": deadline,
            })
        },
    )
}

/// Target and Canary for a Service that moves users. The target has this many pods, and a label for shares.
pub(crate) fn apex_world(spec: &Value, replicas: i64) -> World {
    let mut world = world_of(spec);
    let labels = json!({"app.kubernetes.io/name": "podinfo"});
    let patch = json!({"spec": {"replicas": replicas, "template": {"metadata": {"labels": labels}}}});
    world.edit(&ObjectRef::new(DEPLOYMENT, "podinfo"), &patch);
    world
}

/// Events for such a Canary, which has no autoscaler. Edits keep the spec of the same kind.
pub(crate) fn apex_events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    let other = event().prop_filter("of weighted routers", |e| {
        let kept = |scaled: &Scaled| matches!(scaled, Scaled::Off | Scaled::PrimaryReplicas(_));
        !matches!(e, Event::Spec(_) | Event::Weights(_) | Event::DropRoute)
            && !matches!(e, Event::Scaled(scaled) if !kept(scaled))
    });
    let request = prop_oneof![
        Just("promote/1"),
        Just("promote/2"),
        Just("pray/3"),
        Just("{"),
        Just(r#"{"id":"4","verb":"promote","step":1}"#)
    ];
    let event = prop_oneof![
        8 => other,
        2 => request.prop_map(Event::Request),
        1 => apex_spec().prop_map(Event::Spec),
    ];
    vec(event, 1..most)
}

/// A spec that may be invalid: illegal values and boundary values.
pub(crate) fn any_spec() -> impl Strategy<Value = Value> {
    let number =
        || prop_oneof![Just(i32::MIN), Just(-1), Just(0), Just(1), Just(100), Just(i32::MAX), any::<i32>()];
    let text = || {
        prop_oneof![
            Just(String::new()),
            Just("1s".into()),
            Just("99999999999999h".into()),
            Just("-1s".into()),
            "[a-z0-9]{0,4}"
        ]
    };
    (
        number(),
        number(),
        vec(number(), 0..4),
        number(),
        text(),
        number(),
        text(),
        any::<Option<bool>>(),
        number(),
    )
        .prop_map(|(step, max, list, back, interval, threshold, settle, skip, deadline)| {
            let settle = if settle.is_empty() { Value::Null } else { json!(settle) };
            json!({
                "skipAnalysis": skip, "progressDeadlineSeconds": deadline, "settleTime": settle,
                "analysis": {
                    "stepWeight": step, "maxWeight": max, "stepWeights": list, "stepWeightPromotion": back,
                    "interval": interval, "threshold": threshold,
                    "primaryReadyThreshold": threshold, "canaryReadyThreshold": step,
                },
            })
        })
}

/// A status that can be decoded, from any writer.
pub(crate) fn any_status() -> impl Strategy<Value = Value> {
    let phase = prop::sample::select(vec![
        "",
        "Initializing",
        "Initialized",
        "Waiting",
        "Progressing",
        "WaitingPromotion",
        "Promoting",
        "Finalising",
        "Succeeded",
        "Failed",
        "Terminating",
        "Terminated",
    ]);
    let hash = || {
        prop_oneof![
            Just(Value::Null),
            Just(json!("85d557f47b")),
            Just(json!("a".repeat(64))),
            Just(json!("known"))
        ]
    };
    let number =
        || prop_oneof![Just(i32::MIN), Just(-1), Just(0), Just(1), Just(2), Just(100), Just(i32::MAX)];
    let time = || {
        prop_oneof![
            Just(Value::Null),
            Just(json!("2026-01-01T00:00:00.000000Z")),
            Just(json!("9999-12-30T22:00:00.000000Z")),
            Just(json!("0001-01-01T00:00:00.000000Z")),
        ]
    };
    let kind = prop_oneof![Just(""), Just("RollingBack"), Just("Aborting"), Just("UndoingPromotion")];
    let known = serin::manifest::revision::hash(&fixture::target("podinfo:1")["spec"]["template"]);
    (phase, hash(), hash(), (number(), number(), number(), number()), time(), time(), kind, any::<i64>()).prop_map(
        move |(phase, applied, promoted, (index, weight, checks, promotion), confirmed, checked, kind, epoch)| {
            let name = |v: Value| if v == "known" { json!(known) } else { v };
            let ending = if kind.is_empty() {
                Value::Null
            } else {
                json!({"kind": kind, "reason": "X", "message": "y", "at": "2026-01-01T00:00:00.000000Z"})
            };
            json!({
                "phase": phase, "lastAppliedSpec": name(applied), "lastPromotedSpec": name(promoted),
                "failedChecks": checks, "canaryWeight": weight, "epoch": epoch.clamp(-5, i64::MAX - 1000), "iterations": 0,
                "step": {"index": index, "weight": weight, "promotion": promotion, "confirmed": confirmed, "checked": checked},
                "run": {"started": "2026-01-01T00:00:00.000000Z", "ending": ending},
                "primaryReplicas": checks,
            })
        },
    )
}

/// Invalid data in an object that the operator reads.
pub(crate) fn broken() -> impl Strategy<Value = Option<(ObjectRef, Value)>> {
    let at = prop_oneof![
        Just(ObjectRef::new(DEPLOYMENT, "podinfo")),
        Just(ObjectRef::new(SERVICE, "podinfo")),
        Just(ObjectRef::new(route::VIRTUAL_SERVICE, "podinfo")),
    ];
    let patch = prop_oneof![
        Just(json!({"spec": null})),
        Just(json!({"spec": {"replicas": -3, "selector": [1]}})),
        Just(json!({"status": 7})),
        Just(json!({"spec": {"http": [{"route": "x"}], "template": {"metadata": {"labels": [0]}}}})),
        Just(json!({"metadata": {"annotations": {"serin.dev/written": "nonsense", "serin.dev/epoch": "x"}}})),
    ];
    proptest::option::of((at, patch))
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![3 => Just(Mode::Ready), 1 => Just(Mode::Never), 1 => Just(Mode::Vanish), 1 => Just(Mode::Unseen)]
}

fn side() -> impl Strategy<Value = &'static str> {
    prop::sample::select(SIDES.to_vec())
}

/// Events about pods.
pub(crate) fn about_pods() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (1u64..40).prop_map(Event::Pass),
        3 => (side(), mode()).prop_map(|(side, mode)| Event::Pods(side, mode)),
        1 => any::<bool>().prop_map(Event::Late),
        1 => (1u8..4).prop_map(Event::Image),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let metric = prop_oneof![3 => Just("request-success-rate"), 1 => Just("error-rate")];
    let trouble = prop_oneof![3 => (0usize..5).prop_map(Trouble::CrashAfter), 1 => Just(Trouble::Conflict)];
    Union::new_weighted(vec![
        (30, (1u64..45).prop_map(Event::Pass).boxed()),
        (12, (1u8..4).prop_map(Event::Image).boxed()),
        (10, (metric, reading()).prop_map(|(metric, reading)| Event::Reads(metric, reading)).boxed()),
        (8, (side(), mode()).prop_map(|(side, mode)| Event::Pods(side, mode)).boxed()),
        (10, trouble.prop_map(Event::Trouble).boxed()),
        (2, any::<bool>().prop_map(Event::Late).boxed()),
        (2, (1u8..4).prop_map(Event::Recreate).boxed()),
        (3, (0i64..6).prop_map(Event::Replicas).boxed()),
        (10, scalers::event().prop_map(Event::Scaled).boxed()),
        (2, Just(Event::DropPrimary).boxed()),
        (2, Just(Event::EditPrimary).boxed()),
        (3, (0i64..101).prop_map(Event::Weights).boxed()),
        (1, Just(Event::DropRoute).boxed()),
        (1, Just(Event::EditApex).boxed()),
        (4, spec().prop_map(Event::Spec).boxed()),
        (6, (1u8..4).prop_map(Event::Config).boxed()),
        (1, Just(Event::DropConfig).boxed()),
        (2, (1u8..4).prop_map(Event::Secret).boxed()),
        (3, any::<bool>().prop_map(Event::Suspend).boxed()),
        (2, any::<Option<bool>>().prop_map(Event::Delete).boxed()),
        (1, (-500i64..500).prop_map(Event::Clock).boxed()),
        (8, (verb(), proptest::option::of(0u8..6)).prop_map(|(verb, id)| Event::Ask(verb, id)).boxed()),
    ])
}

/// Requests by people in any phase.
fn verb() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "approve", "promote", "abort", "retry", "pause", "resume", "advance", "finish", "pray",
    ])
}

/// All kinds of events.
pub(crate) fn events(most: usize) -> impl Strategy<Value = Vec<Event>> {
    vec(event(), 1..most)
}

/// All kinds of events, many of them during a run.
pub(crate) fn hostile(most: usize) -> impl Strategy<Value = Vec<Event>> {
    // the operator no longer repairs an object that a deletion has given back
    let usual = event().prop_filter("by hand", |e| !matches!(e, Event::Weights(_) | Event::EditApex));
    vec(prop_oneof![3 => usual, 2 => edited::event().prop_map(Event::Edited)], 1..most)
}

/// Only events of a quiet cluster: images, answers, load, time.
pub(crate) fn calm(most: usize) -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (1u64..40).prop_map(Event::Pass),
        2 => (1u8..4).prop_map(Event::Image),
        1 => (1u8..4).prop_map(Event::Config),
        1 => (1u8..4).prop_map(Event::Secret),
        1 => reading().prop_map(|reading| Event::Reads("request-success-rate", reading)),
        1 => scalers::load().prop_map(Event::Scaled),
    ];
    vec(event, 1..most)
}

/// A target that uses a ConfigMap and, if it exists, a Secret.
fn target_of(image: &str) -> Value {
    let mut target = fixture::target(image);
    target["spec"]["template"]["spec"]["volumes"] = json!([
        {"name": "c", "configMap": {"name": "cm"}},
        {"name": "s", "secret": {"secretName": "sec", "optional": true}},
    ]);
    target
}

fn holding(kind: Kind, name: &str, content: u8) -> Value {
    json!({"kind": kind.kind, "metadata": {"name": name}, "data": {"f": content.to_string()}})
}

fn put(sim: &mut Sim, kind: Kind, name: &str, content: u8) {
    let (at, object) = (ObjectRef::new(kind, name), holding(kind, name, content));
    if !sim.world.edit(&at, &object) {
        sim.world.put(kind, object, sim.now);
    }
}

/// Target, the objects that it uses, and Canary.
pub(crate) fn world_of(spec: &Value) -> World {
    let mut world = World::default();
    world.put(CONFIG_MAP, holding(CONFIG_MAP, "cm", 1), time::start());
    world.put(DEPLOYMENT, target_of("podinfo:1"), time::start());
    world.put_canary(fixture::canary(spec), time::start());
    world
}

/// Runs plans until nothing is left to do, then the event, then plans again, because time passes with them.
pub(crate) fn play(sim: &mut Sim, event: &Event) {
    sim.log.push(format!("> {event:?}"));
    happen(sim, event);
    sim.settle();
}

fn configure(sim: &mut Sim, event: &Event) {
    match event {
        Event::Config(n) => put(sim, CONFIG_MAP, "cm", *n),
        Event::Secret(n) => put(sim, SECRET, "sec", *n),
        _ => drop(sim.world.objects.remove(&ObjectRef::new(CONFIG_MAP, "cm"))),
    }
}

/// Only the event.
pub(crate) fn happen(sim: &mut Sim, event: &Event) {
    let target = ObjectRef::new(DEPLOYMENT, "podinfo");
    let primary = ObjectRef::new(DEPLOYMENT, "podinfo-primary");
    match event {
        Event::Pass(seconds) => sim.advance(Duration::from_secs(*seconds)),
        Event::Reads(metric, reading) => {
            sim.readings.insert((*metric).into(), reading.clone());
        }
        Event::Pods(name, mode) => {
            sim.pods.modes.insert((*name).into(), *mode);
        }
        Event::Late(late) => sim.pods.slices_late = *late,
        Event::Image(n) => fixture::set_image(sim, &format!("podinfo:{n}")),
        Event::Recreate(n) => {
            sim.world.objects.remove(&target);
            sim.world.put(DEPLOYMENT, target_of(&format!("podinfo:{n}")), sim.now);
        }
        Event::Replicas(n) => {
            sim.world.edit(&target, &json!({"spec": {"replicas": n}}));
        }
        Event::Scaled(scaled) => scaled.happen(sim),
        Event::DropPrimary => {
            sim.world.objects.remove(&primary);
        }
        Event::EditPrimary => {
            let containers = json!([{"name": "podinfod", "image": "evil:1"}]);
            sim.world.edit(&primary, &json!({"spec": {"template": {"spec": {"containers": containers}}}}));
        }
        Event::Weights(canary) => set_weights(sim, *canary),
        Event::DropRoute => {
            sim.world.objects.remove(&ObjectRef::new(route::VIRTUAL_SERVICE, "podinfo"));
        }
        Event::EditApex => {
            sim.world.edit(
                &ObjectRef::new(SERVICE, "podinfo"),
                &json!({"spec": {"selector": {"app": "podinfo"}}}),
            );
        }
        Event::Spec(spec) => edit_spec(sim, spec),
        Event::Config(_) | Event::DropConfig | Event::Secret(_) => configure(sim, event),
        Event::Request(text) => {
            sim.world.edit_canary(&json!({"metadata": {"annotations": {"serin.dev/request": text}}}));
        }
        Event::Ask(verb, id) => {
            let id = id.map_or_else(|| format!("n-{}", sim.log.len()), |n| n.to_string());
            ask(sim, verb, &id);
        }
        Event::Suspend(on) => sim.world.edit_canary(&json!({"spec": {"suspend": on}})),
        Event::Delete(revert) => {
            sim.world.edit_canary(&json!({"spec": {"revertOnDeletion": revert}}));
            sim.world.delete_canary(sim.now);
        }
        Event::Trouble(trouble) => sim.trouble = Some(*trouble),
        Event::Clock(by) => {
            sim.now = sim.now.checked_add(SignedDuration::from_secs(*by)).unwrap_or(sim.now);
            sim.observer.clock_was_set();
        }
        Event::Edited(edited) => edited.happen(sim),
    }
    sim.look();
}

/// Sends the request like `kubectl canary`.
pub(crate) fn ask(sim: &mut Sim, verb: &str, id: &str) {
    let mut request = json!({"id": id, "verb": verb, "by": "ann"});
    if let Some(revision) = sim.world.status().last_applied_spec {
        request["revision"] = json!(revision);
    }
    sim.world.edit_canary(&json!({"metadata": {"annotations": {"serin.dev/request": request.to_string()}}}));
}

fn edit_spec(sim: &mut Sim, spec: &Value) {
    let clean = json!({"stepWeight": null, "stepWeights": null, "maxWeight": null});
    sim.world.edit_canary(&json!({"spec": {"analysis": clean}}));
    sim.world.edit_canary(&json!({"spec": spec}));
    scalers::provide(sim, spec);
    sim.observer.decisions.spec_edited = true;
}

fn set_weights(sim: &mut Sim, canary: i64) {
    let to = |host: &str, weight: i64| json!({"destination": {"host": host}, "weight": weight});
    let routes = json!([to("podinfo-primary", 100 - canary), to("podinfo-canary", canary)]);
    let at = ObjectRef::new(route::VIRTUAL_SERVICE, "podinfo");
    sim.world.edit(&at, &json!({"spec": {"http": [{"route": routes}]}}));
}

/// The final state of a model, without fields that count writes: versions, times, epochs.
pub(crate) fn end_of(sim: &Sim) -> Value {
    let status = sim.world.status();
    let image = |name: &str| {
        let live = sim.world.objects.get(DEPLOYMENT, name)?;
        let image = live["spec"]["template"]["spec"]["containers"][0]["image"].as_str()?;
        Some(format!("{image} {}", serin::manifest::replicas(live)))
    };
    let services: Vec<Value> =
        sim.world.objects.of(SERVICE).map(|s| json!([s["metadata"]["name"], s["spec"]])).collect();
    let configs: Vec<Value> = [CONFIG_MAP, SECRET]
        .into_iter()
        .flat_map(|kind| sim.world.objects.of(kind))
        .map(|o| json!([o["kind"], o["metadata"]["name"], o["data"]]))
        .collect();
    let scalers: Vec<Value> = [HPA, SCALED_OBJECT]
        .into_iter()
        .flat_map(|kind| sim.world.objects.of(kind))
        .map(|s| json!([s["metadata"]["name"], s["metadata"]["annotations"], s["spec"]]))
        .collect();
    json!({
        "tracked": status.tracked_configs, "observed": status.observed_configs.keys().collect::<Vec<_>>(),
        "configs": configs, "scalers": scalers, "phase": status.phase, "step": status.step.map(|s| (s.index, s.weight)), "checks": status.failed_checks,
        "applied": status.last_applied_spec, "promoted": status.last_promoted_spec,
        "target": image("podinfo"), "primary": image("podinfo-primary"), "services": services,
        "route": route::rules(&sim.world, sim.names()), "gone": sim.world.canary.is_none(),
    })
}
