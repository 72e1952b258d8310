//! The safety invariants of Serin, once for the model and for the bed: worked out from objects, and not by the planner's own
//! functions. PURE.
//!
//! | | what must hold |
//! |---|---|
//! | S1 | the weights of a route are 0 to 100, add up to 100, and lead to the Canary's own Services |
//! | S2 | no write makes traffic go where no pod is ready, unless none is ready anywhere; on the model also: once nothing is left to do, none goes there |
//! | S3 | the primary is never asked for less than a pod, nor deleted while it is routed to |
//! | S4 | the target is scaled to 0 only when it has had no traffic for the settle time |
//! | S5 | the primary is given the first template, the promoted one, or one that passed the analysis |
//! | S6 | a run goes on only upon answers that are there, whole and good, at the end of a window |
//! | S7 | a run that is being ended raises no weight |
//! | S9 | weights go up by one declared step, named in the status first, and down to nothing or by promotion; after an edit by one step of the schedule as it is or was, and only for the requests that the step was taken for |
//! | S10 | the epoch never decreases |
//! | S11 | the spec of the target, and whatever is somebody else's, is not changed |
//! | S12 | while the Canary is deleted, clients that were served are served |
//! | S13 | while the Canary is suspended, nothing is done |
//! | S14 | with no step under way, the status says what the route carries |
//! | S15 | at rest next to nothing is written |
//! | S16 | the primary never has fewer pods than it needs for what it carries, unless somebody set the number on purpose |
//! | S17 | no Canary writes what is marked as another's (on the model) |
//! | S18 | a run that people hold raises no weight and is not promoted |
//! | S19 | a request that was answered is not answered again, unless it is refused as used before |
//!
//! - [`view`]: how the objects of a namespace are looked at; [`facts`]: what clients would meet there.
//! - [`seen`]: a change of an object; [`track`]: what is remembered between changes. [`schedule`]: the declared weights.
//! - [`changes`]: what a change of an object breaks; `edits`: after an edit of the Canary. [`decisions`]: what a plan breaks.

pub mod changes;
pub mod decisions;
mod edits;
mod evidence;
pub mod facts;
pub mod schedule;
pub mod seen;
pub mod track;
pub mod view;

/// A broken invariant: its number and words.
pub type Broken = (&'static str, String);
