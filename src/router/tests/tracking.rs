//! No tool may treat objects that routers make from users' objects as its own.

use serde_json::json;

use super::{
    cases::cases,
    conformance::{canary, sources},
};
use crate::{
    manifest::{Manifest, fixture::merge, is_tracking, json as get},
    names,
    router::{Cookies, Split},
};

#[test]
fn r5_copies_bear_no_key_by_which_a_tool_deletes_them() {
    let keys = json!({"app.kubernetes.io/instance": "shop", "argocd.argoproj.io/tracking-id": "shop:x", "team": "a"});
    let mut copies = Vec::new();
    for case in cases() {
        let c = canary(&case, &[], &[]);
        let mut live = sources(&case);
        for (kind, source) in &case.sources {
            let mut source = source.clone();
            merge(&mut source, &json!({"metadata": {"labels": keys, "annotations": keys}}));
            live.insert(*kind, source);
        }
        let rendered =
            case.router().render(&c, &live, Split::to_canary(20), &Cookies::default()).unwrap_or_default();
        for made in rendered.iter().filter(|made| live.at(&made.at()).is_none()).map(Manifest::to_create) {
            for field in ["labels", "annotations"] {
                let mut all = get::strings(&made["metadata"][field]);
                // tells Flux to ignore it
                all.retain(|key, _| names::FLUX_MARKERS.iter().all(|(marker, _)| key != marker));
                assert!(!all.keys().any(|key| is_tracking(key)), "{}: {made}", case.provider);
            }
            if made["metadata"]["labels"]["team"] == "a" {
                copies.push(case.provider);
            }
        }
    }
    for provider in ["nginx", "gloo"] {
        assert!(copies.contains(&provider), "other labels go along with {provider}: {copies:?}");
    }
}
