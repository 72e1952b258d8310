//! Which pods a NetworkPolicy, PodDisruptionBudget or Service may affect, so that those for other pods need not be read.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    super::{digest, json as get},
    DIRECTIONS,
};
use crate::snapshot::{Kind, NETWORK_POLICY, SERVICE};

/// The pods that an object may affect.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    /// The `matchLabels` of each of its selectors: of the pods that it applies to, and of the pods at the other ends of
    /// connections. A selector without labels may select any pods.
    pub selectors: Vec<BTreeMap<String, String>>,
    /// Checksum of the selector of the pods that it applies to: policies with the same selector are compared with each
    /// other.
    pub holds_for: String,
    /// One of its rules admits any pods.
    pub open: bool,
}

impl Reach {
    /// The reach of an object of one of the [`KINDS`](super::KINDS), or of a Service.
    pub fn of(kind: Kind, object: &Value) -> Self {
        let spec = &object["spec"];
        if kind == SERVICE {
            let labels = get::strings(&spec["selector"]);
            let selectors = if labels.is_empty() { vec![] } else { vec![labels] };
            return Self { selectors, holds_for: String::new(), open: false };
        }
        let own = if kind == NETWORK_POLICY { &spec["podSelector"] } else { &spec["selector"] };
        let mut reach = Self { selectors: vec![], holds_for: digest::of(own), open: false };
        if own.is_object() {
            reach.selectors.push(get::strings(&own["matchLabels"]));
        }
        for (rules, ends) in DIRECTIONS {
            for rule in get::list(&spec[rules]) {
                let ends = get::list(&rule[ends]);
                reach.open |= ends.is_empty();
                for end in ends {
                    reach.add(end);
                }
            }
        }
        reach
    }

    /// One end of a connection. Pods of other namespaces are ignored.
    fn add(&mut self, end: &Value) {
        let (pods, namespaces) = (&end["podSelector"], &end["namespaceSelector"]);
        let all = namespaces.as_object().is_some_and(serde_json::Map::is_empty);
        let everybody = pods.as_object().is_some_and(serde_json::Map::is_empty);
        if !namespaces.is_null() && !all {
            return;
        }
        if everybody || all && pods.is_null() {
            self.open = true;
        } else if pods.is_object() {
            self.selectors.push(get::strings(&pods["matchLabels"]));
        }
    }
}
