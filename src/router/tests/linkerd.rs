use serde_json::json;

use crate::{
    manifest::fixture,
    router::{
        linkerd::Linkerd,
        split::Split,
        traits::{Cookies, Router},
    },
    snapshot::Objects,
};

/// The adaptor appends `.<namespace>.svc.cluster.local` to any name.
#[test]
fn t11_a_host_that_is_no_service_is_refused() {
    let with = |host: &str| {
        let c = fixture::canary(&json!({"hosts": [host]}));
        let made = Linkerd.render(&c, &Objects::default(), Split::to_canary(10), &Cookies::default());
        let root = made.unwrap()[0].body["spec"]["service"].as_str().unwrap().to_owned();
        (Linkerd.unsupported(&c), root)
    };
    for (host, root) in [
        ("shop", "shop"),
        ("podinfo.test", "podinfo"),
        ("podinfo.test.svc", "podinfo"),
        ("podinfo.test.svc.cluster.local", "podinfo"),
    ] {
        assert_eq!(with(host), (vec![], root.to_owned()));
    }
    for host in ["app.example.com", "podinfo.other", "podinfo.test.example.com"] {
        let (refused, _) = with(host);
        assert!(refused[0].starts_with("spec.service.hosts: ") && refused[0].contains(host), "{refused:?}");
    }
}
