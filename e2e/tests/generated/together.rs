//! Events for two Canaries in one namespace whose names may collide.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use serin::{
    analysis::Reading,
    snapshot::{DEPLOYMENT, ObjectRef},
};
use serin_model::{Trouble, fixture, others::Refusal, pods::Mode, time, together::Together, world::World};

/// An event. If it is about one of the Canaries, the number selects the first or the second.
#[derive(Clone, Debug)]
pub(crate) enum Beside {
    /// Time passes, in seconds.
    Pass(u64),
    /// The target gets an image.
    Image(usize, u8),
    /// The target's replicas are set.
    Replicas(usize, i64),
    /// Its checks have this reading from now on.
    Reads(usize, Reading),
    /// The behaviour of the pods of its target, or of its primary.
    Pods(usize, bool, Mode),
    /// A merge patch of the spec.
    Spec(usize, Value),
    /// Whether the Canary is suspended.
    Suspend(usize, bool),
    /// The Canary is deleted.
    Delete(usize),
    /// Its target is deleted.
    DropTarget(usize),
    /// Its operator's next plan goes wrong.
    Trouble(usize, Trouble),
    /// The API server refuses writes of an object for it, or accepts all again.
    Refuse(usize, Option<ObjectRef>),
}

const NAMES: [&str; 6] = ["podinfo", "web", "podinfo-canary", "podinfo-primary", "web-canary", "web-primary"];

/// Two targets, and the names of their Services.
pub(crate) fn two() -> impl Strategy<Value = Together> {
    let service = || {
        let name = prop::sample::select(NAMES.to_vec());
        prop_oneof![3 => Just(Value::Null), 1 => name.prop_map(Value::from)]
    };
    let target = prop_oneof![2 => Just("web"), 1 => prop::sample::select(NAMES.to_vec())];
    (target, service(), service()).prop_map(|(second, served, served_second)| {
        let mut world = World::default();
        for name in ["podinfo", second] {
            world.put(DEPLOYMENT, fixture::target_named(name, "podinfo:1"), time::start());
        }
        let named = |name: &Value| json!({"service": {"name": name}});
        let first = fixture::canary_named("podinfo", &named(&served));
        let mut other = fixture::canary_named(second, &named(&served_second));
        other["metadata"]["name"] = json!("other");
        Together::new(world, &[first, other], time::start())
    })
}

fn patch() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => prop::sample::select(NAMES.to_vec()).prop_map(|name| json!({"service": {"name": name}})),
        1 => prop::sample::select(NAMES.to_vec()).prop_map(|name| json!({"targetRef": {"name": name}})),
        1 => Just(json!({"service": {"name": null}})),
        1 => Just(json!({"analysis": {"threshold": 1}})),
        1 => Just(json!({"analysis": {"stepWeight": 50}})),
    ]
}

/// Events for them.
pub(crate) fn beside(most: usize) -> impl Strategy<Value = Vec<Beside>> {
    let which = || 0usize..2;
    let mode = prop_oneof![3 => Just(Mode::Ready), 2 => Just(Mode::Vanish), 1 => Just(Mode::OneUnready)];
    let trouble = prop_oneof![3 => (0usize..5).prop_map(Trouble::CrashAfter), 1 => Just(Trouble::Conflict)];
    let event = prop_oneof![
        6 => (1u64..60).prop_map(Beside::Pass),
        4 => (which(), 1u8..4).prop_map(|(n, image)| Beside::Image(n, image)),
        1 => (which(), 1i64..5).prop_map(|(n, pods)| Beside::Replicas(n, pods)),
        2 => (which(), super::reading()).prop_map(|(n, reading)| Beside::Reads(n, reading)),
        2 => (which(), any::<bool>(), mode).prop_map(|(n, primary, mode)| Beside::Pods(n, primary, mode)),
        3 => (which(), patch()).prop_map(|(n, patch)| Beside::Spec(n, patch)),
        1 => (which(), any::<bool>()).prop_map(|(n, on)| Beside::Suspend(n, on)),
        1 => which().prop_map(Beside::Delete),
        1 => which().prop_map(Beside::DropTarget),
        3 => (which(), trouble).prop_map(|(n, trouble)| Beside::Trouble(n, trouble)),
        2 => (which(), proptest::option::of(super::refusable())).prop_map(|(n, at)| Beside::Refuse(n, at)),
    ];
    vec(event, 1..most)
}

impl Beside {
    /// Applies the event, and everything that follows at this time.
    pub(crate) fn happen(&self, all: &mut Together) {
        match self {
            Self::Pass(seconds) => all.advance(Duration::from_secs(*seconds)),
            Self::Image(n, image) => fixture::set_image(all.sim(*n), &format!("podinfo:{image}")),
            Self::Replicas(n, pods) => {
                let target = ObjectRef::new(DEPLOYMENT, all.sim(*n).names().target.clone());
                all.sim(*n).world.edit(&target, &json!({"spec": {"replicas": pods}}));
            }
            Self::Reads(n, reading) => {
                all.sim(*n).readings.insert("request-success-rate".into(), reading.clone());
            }
            Self::Pods(n, primary, mode) => {
                let sim = all.sim(*n);
                let name = if *primary { sim.names().primary.clone() } else { sim.names().target.clone() };
                sim.pods.modes.insert(name, *mode);
            }
            // other names before anything is created are not an edit: the observer knows only one set of names
            Self::Spec(n, patch)
                if all.sim(*n).world.status().in_use.is_none() && patch["analysis"].is_null() => {}
            Self::Spec(n, patch) => {
                let sim = all.sim(*n);
                sim.world.edit_canary(&json!({"spec": patch}));
                sim.observer.decisions.spec_edited = true;
            }
            Self::Suspend(n, on) => all.sim(*n).world.edit_canary(&json!({"spec": {"suspend": on}})),
            Self::Delete(n) => {
                let now = all.sim(*n).now;
                all.sim(*n).world.delete_canary(now);
            }
            Self::DropTarget(n) => {
                let target = ObjectRef::new(DEPLOYMENT, all.sim(*n).names().target.clone());
                all.sim(*n).world.objects.remove(&target);
            }
            Self::Trouble(n, trouble) => all.sim(*n).trouble = Some(*trouble),
            Self::Refuse(n, None) => all.sim(*n).others.refuses.clear(),
            Self::Refuse(n, Some(at)) => {
                let refusal = Refusal { why: "denied by a policy".into(), ..Refusal::default() };
                all.sim(*n).others.refuses.insert(at.clone(), refusal);
            }
        }
        all.note(&format!("> {self:?}"));
        all.settle();
    }
}
