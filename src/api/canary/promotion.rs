//! `spec.analysis.promotion`: when a version that has passed is promoted, and whether users are switched to it first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gate::Gate;

/// When a version that has passed its checks is promoted. With `iterations` and no `match` (blue/green) the run waits
/// after its iterations, before anybody is switched; otherwise at its last step.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// `auto`: at once, or when `after` is over. `manual`: when it is asked for by the annotation `serin.dev/request`.
    /// Default: `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["auto", "manual"]))]
    pub mode: Option<String>,
    /// How long a run waits before it is promoted, as a duration such as `10m`; a request ends the wait. Not together
    /// with `mode: manual`. Default: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$"), length(max = 64))]
    pub after: Option<String>,
    /// The same as `mode: manual`, with a deadline and a reminder. Not together with `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// Provider `kubernetes` with `iterations`: switch all users to the new version at once, by the selector of the apex
    /// Service, and measure one window there before the promotion. Other providers always do. Default: false, users stay
    /// on the old version until the promotion, as in Flagger.
    #[serde(rename = "switch", skip_serializing_if = "Option::is_none")]
    pub switch_users: Option<bool>,
}
