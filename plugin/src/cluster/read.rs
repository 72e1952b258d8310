//! Reads everything that a view shows once, in parallel where possible.

use futures::future::join_all;
use kube::{
    Api,
    api::{DynamicObject, ListParams},
};
use serde_json::Value;
use serin::{
    api::Canary,
    snapshot::{CANARY, CANARY_RUN},
};

use super::{
    connect::Cluster,
    slots::{self, EVENT, Slot},
};
use crate::{
    failure::{Asked, Failure, code},
    view::Facts,
};

/// How much to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// Only the Canary.
    Canary,
    /// Also its target.
    Target,
    /// Also its records and Events.
    Told,
    /// Also all objects.
    All,
}

impl Cluster {
    pub(crate) fn canaries(&self, namespace: &str) -> Api<Canary> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The Canary with this name, or the Canary whose target has this name. The second case is reported.
    pub(crate) async fn canary(&self, name: &str) -> Result<Canary, Failure> {
        let namespace = self.namespace.as_str();
        let resource = slots::resource(CANARY);
        let asked = Asked { verb: "get", resource: &resource, namespace: Some(namespace), name: Some(name) };
        match self.canaries(namespace).get(name).await {
            Ok(canary) => Ok(canary),
            Err(error) => {
                let failure = asked.failure(&error);
                if failure.code != code::NOT_FOUND {
                    return Err(failure);
                }
                self.of_target(name).await.ok_or_else(|| {
                    failure
                        .hint("\"kubectl canary list\" shows those that there are, with -A in all namespaces")
                })
            }
        }
    }

    async fn of_target(&self, name: &str) -> Option<Canary> {
        let all = self.canaries(&self.namespace).list(&ListParams::default()).await.ok()?;
        all.items.into_iter().find(|canary| canary.spec.target_ref.name == name)
    }

    /// All Canaries of one namespace, or of all namespaces.
    pub(crate) async fn list(&self, all: bool, selector: Option<&str>) -> Result<Vec<Canary>, Failure> {
        let namespace = (!all).then_some(self.namespace.as_str());
        let api: Api<Canary> = match namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let params = ListParams { label_selector: selector.map(str::to_owned), ..ListParams::default() };
        let resource = slots::resource(CANARY);
        let asked = Asked { verb: "list", resource: &resource, namespace, name: None };
        let mut items = api.list(&params).await.map_err(|error| asked.failure(&error))?.items;
        let key = |c: &Canary| (c.metadata.namespace.clone(), c.metadata.name.clone());
        items.sort_by_key(key);
        Ok(items)
    }

    /// Whether Canaries may be listed: one of them is asked for.
    pub(crate) async fn may_list(&self, all: bool) -> Result<bool, Failure> {
        let namespace = (!all).then_some(self.namespace.as_str());
        let api: Api<Canary> = match namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let resource = slots::resource(CANARY);
        let asked = Asked { verb: "list", resource: &resource, namespace, name: None };
        match api.list(&ListParams::default().limit(1)).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(no)) if no.is_forbidden() => Ok(false),
            Err(error) => Err(asked.failure(&error)),
        }
    }

    /// What is known of a Canary that was read.
    pub(crate) async fn around(&self, canary: Canary, depth: Depth) -> Facts {
        let mut facts = Facts::of(canary);
        if depth == Depth::Canary {
            return facts;
        }
        let mut first = slots::objects(&facts.canary);
        if depth != Depth::All {
            first.truncate(1);
        }
        if depth >= Depth::Told {
            first.extend(slots::told(&facts.canary));
        }
        self.take(&mut facts, &first).await;
        if depth == Depth::All {
            let pods = slots::pods(&facts.canary, &facts.objects);
            self.take(&mut facts, &pods).await;
        }
        facts
    }

    async fn take(&self, facts: &mut Facts, slots: &[Slot]) {
        let lists = self.lists(slots, &mut facts.unread, &mut facts.failed).await;
        for (slot, listed) in slots.iter().zip(lists) {
            for object in &listed {
                put(facts, slot, object);
            }
        }
    }

    /// The contents of each slot. Names lists that the user may not read in `unread`, those that were not answered in
    /// `failed`, and skips kinds that the cluster does not have.
    pub(super) async fn lists(
        &self,
        slots: &[Slot],
        unread: &mut Vec<String>,
        failed: &mut Vec<String>,
    ) -> Vec<Vec<DynamicObject>> {
        let lists = slots.iter().map(|slot| async move { slot.api(&self.client).list(&slot.params()).await });
        let mut all = Vec::new();
        for (slot, listed) in slots.iter().zip(join_all(lists).await) {
            let (why, to) = match listed {
                Ok(list) => {
                    all.push(list.items);
                    continue;
                }
                Err(kube::Error::Api(no)) if no.code == 404 => (None, &mut *failed),
                Err(kube::Error::Api(no)) if no.is_forbidden() => (Some(slot.right("list")), &mut *unread),
                Err(error) => {
                    let (resource, namespace) = (slots::resource(slot.kind), slot.namespace.as_deref());
                    let asked = Asked { verb: "list", resource: &resource, namespace, name: None };
                    (Some(asked.failure(&error).message), &mut *failed)
                }
            };
            all.push(vec![]);
            to.extend(why.filter(|why| !to.contains(why)));
        }
        all
    }

    /// Events about any of these objects in the Canary's namespace.
    pub(crate) async fn events(
        &self,
        namespace: &str,
        about: &[(String, String)],
    ) -> Result<Vec<k8s_openapi::api::core::v1::Event>, Failure> {
        let api: Api<k8s_openapi::api::core::v1::Event> = Api::namespaced(self.client.clone(), namespace);
        let mut found = Vec::new();
        for (kind, name) in about {
            let fields = format!("involvedObject.kind={kind},involvedObject.name={name}");
            let asked = Asked { verb: "list", resource: "events", namespace: Some(namespace), name: None };
            let list = api.list(&ListParams::default().fields(&fields)).await;
            found.extend(list.map_err(|error| asked.failure(&error))?.items);
        }
        Ok(found)
    }
}

/// Adds an object to the facts.
pub(super) fn put(facts: &mut Facts, slot: &Slot, object: &DynamicObject) {
    let value: Value = slot.value(object);
    match slot.kind {
        CANARY_RUN => facts.runs.extend(serde_json::from_value(value)),
        EVENT => facts.events.extend(serde_json::from_value(value)),
        _ => facts.objects.push(value),
    }
}
