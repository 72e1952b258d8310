//! All controllers of a model, in turn.

use jiff::Timestamp;

use crate::{knative, pods::Pods, scalers, world::World};

/// Runs the controllers once. Returns true if they changed anything.
pub fn play(pods: &mut Pods, world: &mut World, now: Timestamp) -> bool {
    let scaled = scalers::play(world, &pods.loads, now);
    let any = pods.workloads(world, now);
    scaled | any | knative::play(world, &pods.modes) | pods.slices(world, now)
}
