//! Edits of ports behind a proxy that learns about each object separately, late and in any order: no request is lost.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use serin::{
    api::Phase,
    snapshot::{DEPLOYMENT, ObjectRef, SERVICE},
};

use super::{Life, Setting, providers};

impl Life {
    fn with_two_ports(&mut self, image: &str) {
        let ports = [("http", 9898), ("metrics", 9797)]
            .map(|(name, port)| json!({"name": name, "containerPort": port}));
        let pod = json!({"containers": [{"name": "podinfod", "image": image, "ports": ports}]});
        let at = ObjectRef::new(DEPLOYMENT, "podinfo");
        self.play.sim.world.edit(&at, &json!({"spec": {"template": {"spec": pod}}}));
        self.play.sim.look();
    }

    /// The Canary's Service is edited like this, in a run or at rest. Its ports are then these.
    fn edited(&mut self, in_a_run: bool, edits: &[(Value, u64)], ports: &[i64]) -> Result<()> {
        self.with_two_ports("podinfo:1");
        self.play.pass(80);
        self.play.sim.log.clear();
        if in_a_run {
            self.with_two_ports("podinfo:2");
            self.pass(14, "in a run")?;
            self.play.is(Phase::Progressing)?;
        }
        for (service, seconds) in edits {
            self.play.sim.world.edit_canary(&json!({"spec": {"service": service}}));
            self.play.sim.look();
            self.pass(*seconds, "while ports are replaced")?;
        }
        ensure!(!self.play.said("DriftCorrected"), "{}", self.play.sim.log.join("\n"));
        let primary = self.play.sim.world.objects.get(SERVICE, "podinfo-primary").context("no Service")?;
        let has = primary["spec"]["ports"].as_array().into_iter().flatten();
        let mut has: Vec<i64> = has.filter_map(|port| port["port"].as_i64()).collect();
        has.sort_unstable();
        ensure!(has == ports, "{}: {has:?}\n{}", self.provider, self.play.sim.log.join("\n"));
        Ok(())
    }
}

/// Edits of the Canary's Service, each with the seconds that follow it.
type Edits = Vec<(Value, u64)>;
/// Ports of the primary's Service.
type Ports = &'static [i64];

/// Edits of ports, and the ports afterwards: of the Canary alone, and beside an apex with port 80 that was there before.
fn edits_of_ports() -> Vec<(Edits, [Ports; 2])> {
    let port = |number: i32| json!({"port": number});
    let found = |on: bool| json!({"portDiscovery": on, "targetPort": 9898});
    let mut all: Vec<(Edits, [Ports; 2])> = vec![
        (vec![(port(8080), 30)], [&[8080], &[80, 8080]]),
        (vec![(found(true), 30)], [&[80, 9797], &[80, 9797]]),
        (vec![(found(true), 30), (found(false), 30)], [&[80], &[80, 9797]]),
        (vec![(found(true), 2), (port(8080), 30)], [&[8080, 9797], &[80, 8080, 9797]]),
    ];
    // the route has just left a port for one that is replaced as well
    all.extend(
        [8, 9, 10, 11]
            .map(|seconds| (vec![(port(8080), seconds), (port(8081), 30)], [&[8081][..], &[80, 8080, 8081]])),
    );
    all.extend(
        [2, 5, 8, 11].map(|seconds| (vec![(port(8080), seconds), (port(80), 30)], [&[80][..], &[80, 8080]])),
    );
    all
}

/// In the middle of a change, and back again.
#[test]
fn no_request_is_lost_while_ports_are_replaced() -> Result<()> {
    let mut wrong = Vec::new();
    let mut play = |provider, gateways: &Value, apex: bool, edits: &[(Value, u64)], ports: &[i64]| {
        let spec = json!({"service": {"gateways": gateways}});
        let setting = Setting { spec, taken_over: false, apex, ..Setting::of(provider) };
        for in_a_run in [false, true] {
            let why = Life::new(&setting).and_then(|mut life| life.edited(in_a_run, edits, ports)).err();
            let what = || format!("{provider} {gateways} apex: {apex}, in a run: {in_a_run}, {edits:?}");
            wrong.extend(why.map(|why| format!("{}: {why:?}", what())));
        }
    };
    for (edits, ports) in edits_of_ports() {
        for gateways in [json!(["public"]), json!(["public", "mesh"])] {
            play("istio", &gateways, false, &edits, ports[0]);
            play("istio", &gateways, true, &edits, ports[1]);
        }
    }
    // these name ports at all times; the user's own routes of the copied ones still lead to the former port
    let other = ["istio", "nginx", "skipper", "apisix", "kubernetes"];
    for provider in providers().filter(|name| !other.contains(name)) {
        let (edits, ports) = &edits_of_ports()[0];
        play(provider, &json!([]), true, edits, ports[1]);
    }
    ensure!(wrong.is_empty(), "{} lives\n{}", wrong.len(), wrong.join("\n\n"));
    Ok(())
}

/// The Service of a side is made again with the new port alone, while the other one still has the former one.
#[test]
fn a_side_that_is_deleted_does_not_hold_up_an_edit_of_the_port() -> Result<()> {
    let mut wrong = Vec::new();
    for provider in ["istio", "gatewayapi:v1", "contour", "gloo"] {
        for (side, seconds) in [("podinfo-canary", 1), ("podinfo-canary", 5), ("podinfo-primary", 1)] {
            let spec = json!({"service": {"gateways": ["public"]}});
            let setting = Setting { spec, taken_over: false, apex: false, ..Setting::of(provider) };
            let mut life = Life::new(&setting)?;
            life.play.pass(80);
            life.play.sim.world.edit_canary(&json!({"spec": {"service": {"port": 8080}}}));
            life.play.sim.look();
            life.play.pass(seconds);
            life.play.sim.world.objects.remove(&ObjectRef::new(SERVICE, side));
            life.play.sim.look();
            life.play.pass(60);
            let ports = |name: &str| {
                let service = life.play.sim.world.objects.get(SERVICE, name);
                let all = service.and_then(|service| service["spec"]["ports"].as_array());
                let all = all.into_iter().flatten();
                all.map(|port| port["port"].clone()).collect::<Vec<_>>()
            };
            if [ports("podinfo-primary"), ports("podinfo-canary")] != [[8080], [8080]] {
                wrong.push(format!("{provider}, {side}, {seconds}\n{}", life.play.sim.log.join("\n")));
            }
        }
    }
    ensure!(wrong.is_empty(), "{} lives\n{}", wrong.len(), wrong.join("\n\n"));
    Ok(())
}
