//! The safety invariants of Serin, shared by the model and the bed: derived from objects, without the planner's own
//! functions. PURE.
//!
//! | | invariant |
//! |---|---|
//! | S1 | the weights of a route are between 0 and 100, add up to 100, and go to the Canary's own Services |
//! | S2 | no write routes traffic to a Service without ready pods, unless no Service has any. On the model also: once nothing is left to do, no traffic goes there |
//! | S3 | the primary is never scaled below one pod, and never deleted while traffic is routed to it |
//! | S4 | the target is scaled to 0 only after it has had no traffic for the settle time |
//! | S5 | the primary gets only the first template, the promoted one, or one that passed the analysis |
//! | S6 | a run continues only with answers that exist, are complete and good, at the end of a window |
//! | S7 | a run that is ending raises no weight |
//! | S9 | weights go up by one declared step, which the status names first, and down to zero or by a promotion. After an edit they go up by one step of the old or new schedule, and only for the requests for which the step was taken |
//! | S10 | the epoch never decreases |
//! | S11 | the spec of the target, and the objects of others, are not changed |
//! | S12 | while the Canary is deleted, users that were served stay served |
//! | S13 | while the Canary is suspended, the operator does nothing |
//! | S14 | without a step in progress, the status matches the route |
//! | S15 | between runs the operator writes almost nothing |
//! | S16 | the primary never has fewer pods than its traffic needs, unless somebody set the number on purpose |
//! | S17 | no Canary writes objects that are marked as another Canary's (on the model) |
//! | S18 | a run that a user has paused raises no weight and is not promoted |
//! | S19 | an answered request is not answered again, except by a refusal as already used |
//! | S20 | a request that people are told to make has an id that was not answered |
//!
//! - [`view`]: access to the objects of a namespace; [`facts`]: what clients experience there.
//! - [`seen`]: a change of an object; [`track`]: the memory between changes. [`schedule`]: the declared weights.
//! - [`changes`]: the invariants that a change of an object breaks; `edits`: after an edit of the Canary.
//!   [`decisions`]: the invariants that a plan breaks.

pub mod changes;
pub mod decisions;
mod edits;
mod evidence;
pub mod facts;
pub mod schedule;
pub mod seen;
pub mod track;
pub mod view;

/// A broken invariant: its number and a description.
pub type Broken = (&'static str, String);
