//! Tools that apply objects, recognised by the labels and annotations that they set.

use kube::core::ObjectMeta;

use super::model::OwnerView;

/// Labels and annotations with their tools, in order of precedence.
const MARKS: [(&str, &str); 6] = [
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
    ("meta.helm.sh/release-name", "Helm"),
    ("fluxcd.io/sync-gc-mark", "Flux"),
];

/// The tool that applies an object, if it can be recognised.
pub fn owner(meta: &ObjectMeta) -> Option<OwnerView> {
    let of = |mark: &str| {
        let all = [meta.annotations.as_ref(), meta.labels.as_ref()];
        all.into_iter().flatten().find_map(|map| map.get(mark)).cloned()
    };
    MARKS.iter().find_map(|(mark, tool)| {
        let name = of(mark)?;
        // the name is the part of the tracking id before the first colon
        let name = name.split(':').next().unwrap_or_default().to_owned();
        Some(OwnerView { tool, name })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_known_by_their_marks() {
        let with = |mark: &str, value: &str| ObjectMeta {
            annotations: Some([(mark.to_owned(), value.to_owned())].into()),
            ..ObjectMeta::default()
        };
        let argo = owner(&with("argocd.argoproj.io/tracking-id", "shop:apps/Deployment:shop/app")).unwrap();
        assert_eq!((argo.tool, argo.name.as_str()), ("Argo CD", "shop"));
        assert_eq!(owner(&with("meta.helm.sh/release-name", "app")).unwrap().tool, "Helm");
        assert_eq!(owner(&ObjectMeta::default()), None);
    }
}
