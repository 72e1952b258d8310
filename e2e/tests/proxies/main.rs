//! Canaries behind every available proxy, each with its default timing: Contour, Traefik, kube-proxy, Envoy with an
//! istiod that collects changes for two seconds, and Skipper, Gloo and Envoy Gateway, if a story asks for them. Pods
//! need three seconds to become ready.
//!
//! One bed and one operator serve all stories. `cargo test -p serin-e2e --test proxies -- NAME` runs some.

mod bad_versions;
mod beside_others;
mod bystanders;
mod clients;
mod examples;
mod gateway_api;
mod lives;
mod lost_services;
mod named;
mod refused;
mod services;
mod way;

use std::{process::ExitCode, time::Duration};

use serin_bed::{
    Bed, EnvoyGateway, Gloo, Options, Skipper,
    lacking::{Lacking, Need},
    operator::Operator,
    proxies::Door,
    proxy::Proxy,
    stage::{self, Stage},
};
use tokio::sync::{Mutex, OnceCell};

pub(crate) use serin_bed::story;

use way::Way;

/// The shared state of all stories.
pub(crate) struct Shared {
    pub(crate) bed: Bed,
    pub(crate) operator: Mutex<Operator>,
    skipper: OnceCell<Skipper>,
    gloo: OnceCell<Gloo>,
    envoy_gateway: OnceCell<EnvoyGateway>,
}

impl Shared {
    /// Starts the proxy of this way, unless every bed has it.
    pub(crate) async fn proxy_of(&self, way: Way) -> anyhow::Result<()> {
        match way {
            Way::Skipper => self.skipper.get_or_try_init(|| Skipper::start(&self.bed)).await.map(drop),
            Way::Gloo => self.gloo.get_or_try_init(|| Gloo::start(&self.bed)).await.map(drop),
            Way::Gateway(Door::EnvoyGateway) => {
                self.envoy_gateway.get_or_try_init(|| EnvoyGateway::start(&self.bed)).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

impl stage::Shared for Shared {
    fn bed(&self) -> &Bed {
        &self.bed
    }
}

/// The stories of one file.
pub(crate) type Family = stage::Family<Shared>;

const FAMILIES: &[(&str, Family)] = &[
    ("lives", lives::STORIES),
    ("gateway_api", gateway_api::STORIES),
    ("named", named::STORIES),
    ("refused", refused::STORIES),
    ("services", services::STORIES),
    ("examples", examples::STORIES),
];

/// Families that run after the others, with few stories at a time, because they send many requests.
const BUSY: &[(&str, Family)] =
    &[("beside_others", beside_others::STORIES), ("bad_versions", bad_versions::STORIES)];

/// Families whose stories run alone, because they stop the operator for all.
const ALONE: &[(&str, Family)] = &[("lost_services", lost_services::STORIES)];

/// Stories that take nearly a minute or longer, or need a part that only `make proxies-check` has. They run if a filter
/// names them, and with `SERIN_STORIES=all` (`make proxies-check`).
const SLOW: &[&str] = &[
    "bad_versions::contour",
    "bad_versions::gateway_api_by_contour",
    "bad_versions::gateway_api_by_envoy_gateway",
    "bad_versions::gateway_api_by_istiod",
    "bad_versions::gloo",
    "bad_versions::istio",
    "bad_versions::services",
    "bad_versions::skipper",
    "bad_versions::traefik",
    "beside_others::life_by_envoy_gateway",
    "beside_others::life_by_gloo",
    "beside_others::life_by_skipper",
    "beside_others::mishaps_by_envoy_gateway",
    "beside_others::mishaps_by_gloo",
    "beside_others::mishaps_by_skipper",
    "gateway_api::cookies_by_envoy_gateway",
    "gateway_api::copies_by_envoy_gateway",
    "gateway_api::named_requests_by_envoy_gateway",
    "gateway_api::named_requests_by_gloo",
    "lost_services::t10_contour",
    "lost_services::t10_skipper",
    "lost_services::t10_traefik",
    "named::s1_2_gateway_api_by_envoy_gateway",
    "named::s1_2_gloo",
];

/// How long istiod collects changes.
const DEBOUNCE: Duration = Duration::from_secs(2);

async fn start(proxies: Vec<Proxy>) -> anyhow::Result<Shared> {
    let options = Options { proxies, istiod_debounce: DEBOUNCE, ..Options::default() };
    let bed = Bed::start(options).await?;
    bed.install().await?;
    let mut operator = Operator::start(&bed, &[], &[])?;
    operator.ready(Duration::from_secs(30)).await?;
    Ok(Shared {
        bed,
        operator: Mutex::new(operator),
        skipper: OnceCell::new(),
        gloo: OnceCell::new(),
        envoy_gateway: OnceCell::new(),
    })
}

fn main() -> anyhow::Result<ExitCode> {
    let lacking = Lacking::find("proxies")?;
    lacking.enter()?;
    let has = |proxy: &Proxy| *proxy != Proxy::KubeProxy || lacking.has(Need::Nftables);
    let proxies: Vec<Proxy> = Proxy::ALL.into_iter().filter(has).collect();
    let mut stage = Stage::new(lacking, move || start(proxies.clone()))?.without(SLOW);
    // thirty at a time keep two processors fully busy, and a pod serves for only 3 s after kube-proxy could know about
    // its deletion
    stage.play(16, FAMILIES);
    stage.play(2, BUSY);
    stage.play(1, ALONE);
    stage.end()
}
