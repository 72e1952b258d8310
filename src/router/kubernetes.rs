//! Plain Services: there is no route. Users are on the primary all the time, by the apex Service; a new version is
//! analysed behind `<apex>-canary` for a number of iterations and then promoted.

use std::time::Duration;

use super::{Builtin, Cookies, Router, RouterError, Split, gatewayapi, route};
use crate::{
    api::validated::Validated,
    manifest::{Manifest, Undo},
    snapshot::{Kind, ObjectRef, Objects},
};

/// The router that moves nobody.
pub(super) struct Kubernetes;

impl Router for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[]
    }

    fn settle(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn honours(&self) -> &'static [&'static str] {
        &[]
    }

    fn moves(&self) -> bool {
        false
    }

    fn apex_is_primary(&self) -> bool {
        true
    }

    fn refuses(&self, c: &Validated) -> Vec<String> {
        let why = "plain Services cannot split requests: set spec.analysis.iterations instead, or spec.provider to what routes them";
        let shares = ["stepWeight", "stepWeights", "steps"];
        let mut refused = if c.skip_analysis { vec![] } else { route::cannot(c, &shares, why) };
        let why = "plain Services cannot tell requests apart or copy them: leave it out";
        refused.extend(route::cannot(c, &["match", "mirror", "sessionAffinity"], why));
        refused
    }

    fn reads(&self, _c: &Validated) -> Vec<ObjectRef> {
        vec![]
    }

    fn read_back(&self, _c: &Validated, _live: &Objects) -> Result<Split, RouterError> {
        Ok(Split::to_canary(0))
    }

    fn beside(&self, _c: &Validated) -> Vec<Manifest> {
        vec![]
    }

    fn render(
        &self,
        _c: &Validated,
        _live: &Objects,
        _want: Split,
        _cookies: &Cookies,
    ) -> Result<Vec<Manifest>, RouterError> {
        Ok(vec![])
    }

    fn restore(&self, _c: &Validated, _live: &Objects) -> Vec<Undo> {
        vec![]
    }

    fn queries(&self) -> &'static Builtin {
        &gatewayapi::QUERIES
    }
}
