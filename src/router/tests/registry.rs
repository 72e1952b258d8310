use crate::router::{Router, by_name, retired};

#[test]
fn retired_providers_are_known_with_their_versions() {
    for provider in ["appmesh", "appmesh:v1beta2", "smi:v1alpha1", "smi:linkerd", "osm"] {
        assert!(retired(provider) && by_name(provider).is_none(), "{provider}");
    }
    assert!(!retired("istio") && !retired("linkerd") && !retired(""));
    assert_eq!(by_name("istio").map(Router::name), Some("istio"));
}
