use serde_json::{Value, json};

use crate::{
    manifest::{
        Undo,
        fixture::{self, merge},
        knative, patch, revision,
    },
    names,
    router::{
        knative::{Knative, at},
        split::Split,
        traits::{Cookies, Router},
    },
    snapshot::{KNATIVE_SERVICE, Objects},
};

fn objects(over: &Value) -> Objects {
    let name = "podinfo-1";
    let mut live = json!({
        "metadata": {"name": "podinfo", "generation": 3, "annotations": {
            names::ANNOTATION_PRIMARY_REVISION: name,
            names::ANNOTATION_REVISION: revision::hash(&json!({"revision": name})),
        }},
        "spec": {"template": {}, "traffic": knative::traffic(name, 20)},
        "status": {"observedGeneration": 3, "traffic": [
            {"latestRevision": true, "revisionName": "podinfo-2", "percent": 20},
            {"latestRevision": false, "revisionName": name, "percent": 80},
        ]},
    });
    merge(&mut live, over);
    let mut objects = Objects::default();
    objects.insert(KNATIVE_SERVICE, live);
    objects
}

fn wanted(live: &Objects, percent: i32) -> Option<Value> {
    let c = fixture::canary(&json!({}));
    let made = Knative.render(&c, live, Split::to_canary(percent), &Cookies::default()).unwrap();
    Some(made.first()?.body["spec"]["traffic"].clone())
}

#[test]
fn the_rest_goes_to_the_primary_by_name() {
    assert_eq!(wanted(&objects(&json!({})), 40), Some(knative::traffic("podinfo-1", 40)));
    let users = json!({"spec": {"traffic": [{"latestRevision": true, "percent": 100}]}});
    assert_eq!(wanted(&objects(&users), 0), Some(knative::traffic("podinfo-1", 0)));
}

#[test]
fn a_note_that_was_edited_leads_nobody_astray() {
    let mut edited = json!({"metadata": {"annotations": {names::ANNOTATION_PRIMARY_REVISION: "podinfo-9"}}});
    assert_eq!(wanted(&objects(&edited), 0), Some(knative::traffic("podinfo-1", 0)));
    edited["spec"] = json!({"traffic": [{"latestRevision": true, "percent": 100}]});
    assert_eq!(wanted(&objects(&edited), 0), None, "it waits until the note is fixed");
    let c = fixture::canary(&json!({}));
    assert!(Knative.read_back(&c, &objects(&edited)).is_err());
}

#[test]
fn weights_count_once_knative_shows_them() {
    let c = fixture::canary(&json!({}));
    let why = |over: Value| Knative.not_programmed(&c, &objects(&over));
    assert_eq!(why(json!({})), None);
    assert!(why(json!({"metadata": {"generation": 4}})).unwrap().contains("has not looked"));
    let conditions = json!([{"type": "RoutesReady", "status": "False", "message": "no ingress"}]);
    let late =
        json!({"spec": {"traffic": knative::traffic("podinfo-1", 40)}, "status": {"conditions": conditions}});
    assert!(why(late).unwrap().ends_with("does not show what spec.traffic asks for: no ingress"));
    let other = json!({"spec": {"traffic": knative::traffic("podinfo-0", 20)}});
    assert!(why(other).is_some(), "the rest still goes to another revision");
}

#[test]
fn what_the_user_had_comes_back() {
    let c = fixture::canary(&json!({}));
    let all = json!([{"latestRevision": true, "percent": 100}]);
    let pinned = json!([{"revisionName": "podinfo-1", "percent": 100, "tag": "x"}]);
    for (was, back) in [(&pinned, &pinned), (&all, &all), (&knative::traffic("podinfo-0", 0), &all)] {
        let mut live = objects(&json!({"spec": {"traffic": was}}));
        let made = Knative.render(&c, &live, Split::to_canary(0), &Cookies::default()).unwrap().remove(0);
        let mut object = live.at(&at(&c)).cloned().unwrap();
        let change = patch(&object, &made).unwrap();
        merge(&mut object, &change);
        live.insert(KNATIVE_SERVICE, object.clone());
        let Some(Undo::Restore(undo)) = Knative.restore(&c, &live).pop() else {
            panic!("nothing to restore")
        };
        let change = patch(&object, &undo).unwrap();
        merge(&mut object, &change);
        assert_eq!((&object["spec"]["traffic"], &object["metadata"]["annotations"]), (back, &json!({})));
    }
    // recorded, and no traffic split yet
    let early = objects(&json!({"spec": {"traffic": pinned}}));
    let Some(Undo::Restore(undo)) = Knative.restore(&c, &early).pop() else { panic!("nothing to restore") };
    assert_eq!(undo.body["spec"]["traffic"], pinned);
}

#[test]
fn tags_stay_without_a_share() {
    let c = fixture::canary(&json!({}));
    let users = json!([
        {"latestRevision": true, "percent": 100, "tag": "latest"},
        {"revisionName": "podinfo-0", "latestRevision": false, "tag": "old"},
    ]);
    let live = objects(&json!({"spec": {"traffic": users}}));
    let made = wanted(&live, 40).unwrap();
    let both = knative::traffic("podinfo-1", 40);
    let latest = json!({"latestRevision": true, "tag": "latest"});
    assert_eq!(made, json!([both[0], both[1], latest, users[1]]));

    let mut split = objects(&json!({"spec": {"traffic": made}}));
    assert_eq!(wanted(&split, 40).unwrap(), made, "nothing is left to write");
    assert_eq!(Knative.read_back(&c, &split).unwrap().canary(), 40);
    assert!(Knative.not_programmed(&c, &split).is_some(), "20 % are reported");

    // one that came later stays as well when the Canary goes
    let mut object = split.at(&at(&c)).cloned().unwrap();
    let was = json!({"traffic": users}).to_string();
    object["metadata"]["annotations"][names::ANNOTATION_ORIGINAL] = json!(was);
    let preview = json!({"latestRevision": true, "tag": "preview"});
    object["spec"]["traffic"].as_array_mut().unwrap().push(preview.clone());
    split.insert(KNATIVE_SERVICE, object);
    let Some(Undo::Restore(undo)) = Knative.restore(&c, &split).pop() else { panic!("nothing to restore") };
    assert_eq!(undo.body["spec"]["traffic"], json!([users[0], users[1], preview]));
}

/// A pin that no promotion has moved would lead all users to a version that was replaced, or to a revision that Knative
/// has removed.
#[test]
fn a_pin_from_before_the_takeover_follows_the_promotions() {
    let c = fixture::canary(&json!({}));
    let back = |was: &Value, over: &Value| {
        let mut over = over.clone();
        over["metadata"]["annotations"][names::ANNOTATION_ORIGINAL] =
            json!(json!({"traffic": was}).to_string());
        let live = objects(&over);
        let Some(Undo::Restore(undo)) = Knative.restore(&c, &live).pop() else {
            panic!("nothing to restore")
        };
        undo.body["spec"]["traffic"].clone()
    };
    let pin =
        |name: &str, percent: i64| json!({"revisionName": name, "latestRevision": false, "percent": percent});
    let tag = json!({"revisionName": "podinfo-0", "tag": "old"});
    let promoted = json!([pin("podinfo-1", 100)]);
    assert_eq!(back(&json!([pin("podinfo-0", 100)]), &json!({})), promoted);
    assert_eq!(back(&json!([pin("podinfo-0", 50), pin("podinfo-1", 50)]), &json!({})), promoted);
    let shared = json!([{"latestRevision": true, "percent": 90}, pin("podinfo-0", 10)]);
    assert_eq!(back(&shared, &json!({"status": {"latestCreatedRevisionName": "podinfo-2"}})), promoted);
    let newest = json!([{"latestRevision": true, "percent": 100}]);
    assert_eq!(back(&shared, &json!({"status": {"latestCreatedRevisionName": "podinfo-1"}})), newest);
    // a tag is an address of its own
    let live = json!({"spec": {"traffic": [tag]}});
    let tagged = json!([{"revisionName": "podinfo-0", "percent": 100, "tag": "old"}]);
    assert_eq!(back(&tagged, &live), json!([pin("podinfo-1", 100), tag]));
    let beside =
        json!([{"latestRevision": true, "percent": 100}, {"revisionName": "podinfo-0", "tag": "old"}]);
    assert_eq!(back(&beside, &json!({})), beside);
    // without a primary nothing better is known
    let lost = json!({"metadata": {"annotations": {names::ANNOTATION_PRIMARY_REVISION: null}}, "spec": {"traffic": []}});
    assert_eq!(back(&json!([pin("podinfo-0", 100)]), &lost), json!([pin("podinfo-0", 100)]));
}
