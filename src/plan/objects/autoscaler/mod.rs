//! Autoscalers: the one that the Canary names, the copy of it for the primary, and the pods of a target that has one.

mod bounds;
pub(super) mod find;
mod sync;

pub(crate) use bounds::{primary_least, primary_start, remember_floor, target_back};
pub(crate) use find::find;
pub(crate) use sync::{
    begin_return, is_held, is_scaled_to_zero, of_primary, release, report_capacity, returned, scale_down,
    scale_to_zero, scale_up, sync,
};
