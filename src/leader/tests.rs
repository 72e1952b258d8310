use std::{
    future::pending,
    sync::atomic::{AtomicBool, Ordering},
};

use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

fn standby(client: &Client) -> Running {
    let election = Election { namespace: "n".into(), duration: Duration::from_secs(6) };
    Running {
        lease: LeaseClient::new(client, &election, "serin_b".into()),
        elector: Elector::new("serin_b".into(), election.duration, election.renewal()),
        started: Instant::now(),
        not_before: Instant::now(),
        listed: true,
        lost: None,
        read: Duration::ZERO,
        in_doubt: false,
        leadership: Leadership::default(),
        metrics: Arc::new(Metrics::new("istio")),
        elected: None,
        unable: Box::new(|| None),
        declined: None,
        election,
    }
}

fn lease_of(holder: &str) -> serde_json::Value {
    serde_json::json!({
        "metadata": {"name": names::LEASE, "namespace": "n", "resourceVersion": "7"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 6, "renewTime": "2026-11-01T00:00:00.000000Z"},
    })
}

/// The API server refuses this many requests because a right is missing.
fn refusing(times: usize) -> (Client, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let mut log = log.lock().unwrap();
        log.push(request.uri().query().unwrap_or_default().to_owned());
        let (code, body) = if log.len() <= times {
            let status =
                serde_json::json!({"status": "Failure", "reason": "Forbidden", "message": "no", "code": 403});
            (403, status)
        } else {
            (200, lease_of("serin_a"))
        };
        let answer = Response::builder().status(code).body(Body::from(body.to_string().into_bytes()));
        async move { Ok::<_, kube::Error>(answer.unwrap()) }
    });
    (Client::new(service, "n"), asked)
}

#[tokio::test(start_paused = true)]
async fn one_that_lacked_the_right_is_ready_once_it_has_it_though_another_leads() {
    let (client, asked) = refusing(2);
    let mut standby = standby(&client);
    standby.step().await.unwrap();
    assert!(standby.leadership.refused().unwrap().contains("cannot be written"));

    standby.take_note(Seen::Changed(serde_json::from_value(lease_of("serin_a")).unwrap()));
    let mut waited = vec![];
    for _ in 0..3 {
        let wait = standby.step().await.unwrap();
        tokio::time::advance(wait).await;
        waited.push(standby.leadership.refused().is_some());
    }
    assert_eq!(waited, [true, true, false]);
    let asked = asked.lock().unwrap();
    let writes = asked.iter().filter(|query| !query.contains("fieldSelector"));
    let dry: Vec<bool> = writes.map(|query| query.contains("dryRun=All")).collect();
    assert_eq!(dry, [false, true, true], "the Lease of another is written: {asked:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_was_not_answered_is_ready_again_once_another_leads() {
    let service = tower::service_fn(|_: Request<Body>| pending::<Result<Response<Body>, kube::Error>>());
    let client = Client::new(service, "n");
    let mut standby = standby(&client);
    standby.step().await.unwrap();
    let why = standby.leadership.refused().unwrap();
    assert!(why.contains("no answer within"), "{why}");

    standby.take_note(Seen::Changed(serde_json::from_value(lease_of("serin_a")).unwrap()));
    standby.step().await.unwrap();
    assert_eq!(standby.leadership.refused(), None);
}

#[tokio::test(start_paused = true)]
async fn one_that_could_not_work_leaves_a_free_lease_to_others_and_keeps_what_it_has() {
    let (client, asked) = refusing(0);
    let (mut standby, blind) = (standby(&client), Arc::new(AtomicBool::new(true)));
    let seen = blind.clone();
    standby.unable = Box::new(move || seen.load(Ordering::SeqCst).then(|| "endpointslices".into()));
    let requests = || asked.lock().unwrap().len();
    standby.step().await.unwrap();
    standby.take_note(Seen::Changed(serde_json::from_value(lease_of("")).unwrap()));
    for _ in 0..3 {
        let wait = standby.step().await.unwrap();
        assert_eq!((wait, requests()), (ABLE, 0));
        tokio::time::advance(wait).await;
    }
    blind.store(false, Ordering::SeqCst);
    standby.step().await.unwrap();
    assert_eq!(requests(), 1);

    blind.store(true, Ordering::SeqCst);
    let ours = lease::record(&serde_json::from_value(lease_of("serin_b")).unwrap());
    standby.holds(ours, (standby.started.elapsed(), clock::now()));
    tokio::time::advance(standby.election.renewal()).await;
    standby.step().await.unwrap();
    assert_eq!(requests(), 2, "it is renewed");
}

/// The Lease in an API server that no watch shows.
#[derive(Clone)]
struct Stored(Arc<Mutex<Value>>);

impl Stored {
    fn of(version: u64, holder: &str) -> (Self, Client) {
        let stored = Self(Arc::new(Mutex::new(lease_of(holder))));
        stored.0.lock().unwrap()["metadata"]["resourceVersion"] = json!(version.to_string());
        let this = stored.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let this = this.clone();
            async move {
                let patches = request.method() == http::Method::PATCH;
                let sent = request.into_body().collect_bytes().await.unwrap_or_default();
                let (code, body) = this.answer(patches, &sent);
                let answer = Response::builder().status(code).body(Body::from(body.to_string().into_bytes()));
                Ok::<_, kube::Error>(answer.unwrap())
            }
        });
        (stored, Client::new(service, "n"))
    }

    fn answer(&self, patches: bool, sent: &[u8]) -> (u16, Value) {
        let mut stored = self.0.lock().unwrap();
        if !patches {
            return (200, json!({"kind": "LeaseList", "metadata": {}, "items": [stored.clone()]}));
        }
        let sent: Value = serde_json::from_slice(sent).unwrap();
        if sent["metadata"]["resourceVersion"] != stored["metadata"]["resourceVersion"] {
            return (
                409,
                json!({"status": "Failure", "reason": "Conflict", "message": "changed", "code": 409}),
            );
        }
        let version: u64 = sent["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        for (field, value) in sent["spec"].as_object().unwrap() {
            stored["spec"][field] = value.clone();
        }
        stored["metadata"]["resourceVersion"] = json!((version + 1).to_string());
        (200, stored.clone())
    }
}

/// How long it takes until this standby leads, without any event of its watch.
async fn leads_after(standby: &mut Running, most: Duration) -> Option<Duration> {
    let since = Instant::now();
    while standby.leadership.left().is_none() && since.elapsed() < most {
        let wait = standby.step().await?;
        tokio::time::advance(wait).await;
    }
    standby.leadership.left().map(|_| since.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_standby_whose_watch_is_dead_takes_over_all_the_same() {
    for (version, holder, most) in [
        // renewed several times since it was seen, and the holder is dead
        (500, "serin_a", 8),
        // given up since
        (500, "", 3),
        // the cluster was set back to an earlier state
        (3, "serin_c", 9),
    ] {
        let (stored, client) = Stored::of(version, holder);
        stored.0.lock().unwrap()["spec"]["renewTime"] = json!("2026-11-01T00:00:44.000000Z");
        let mut standby = standby(&client);
        standby.take_note(Seen::Changed(serde_json::from_value(lease_of("serin_a")).unwrap()));
        let after = leads_after(&mut standby, Duration::from_secs(60)).await;
        assert!(
            after.is_some_and(|after| after <= Duration::from_secs(most)),
            "{version} {holder}: {after:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_lease_another_has_ends_without_its_watch() {
    let (_, client) = Stored::of(9, "serin_c");
    let mut leader = standby(&client);
    let ours = lease::record(&serde_json::from_value(lease_of("serin_b")).unwrap());
    leader.holds(ours, (leader.started.elapsed(), clock::now()));
    tokio::time::advance(leader.election.renewal()).await;
    leader.step().await.unwrap();
    assert_eq!(leader.step().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_list_replaces_what_a_standby_knows_and_not_what_a_leader_wrote() {
    let (_, client) = Stored::of(3, "serin_a");
    let listed = |version: &str| {
        let mut lease = lease_of("serin_a");
        lease["metadata"]["resourceVersion"] = json!(version);
        Seen::Listed(serde_json::from_value(lease).unwrap())
    };
    let mut one = standby(&client);
    one.take_note(listed("7"));
    one.take_note(listed("3"));
    assert_eq!(one.elector.known().unwrap().version, 3);
    let ours = lease::record(&serde_json::from_value(lease_of("serin_b")).unwrap());
    one.holds(ours, (one.started.elapsed(), clock::now()));
    one.take_note(listed("3"));
    assert_eq!(one.elector.known().unwrap().version, 7, "the list began before");
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_see_the_lease_for_long_is_not_ready() {
    let (_, client) = Stored::of(7, "serin_a");
    let mut standby = standby(&client);
    standby.take_note(Seen::Changed(serde_json::from_value(lease_of("serin_a")).unwrap()));
    standby.take_note(Seen::Ended);
    standby.step().await.unwrap();
    assert_eq!(standby.leadership.refused(), None, "it may be over in a moment");
    tokio::time::advance(Duration::from_secs(15)).await;
    standby.take_note(Seen::Begin(1));
    standby.take_note(Seen::Ended);
    tokio::time::advance(Duration::from_secs(15)).await;
    standby.step().await.unwrap();
    let why = standby.leadership.refused().unwrap();
    assert!(why.contains("cannot be watched") && why.contains("its watch ended"), "{why}");
    standby.take_note(Seen::Alive);
    standby.step().await.unwrap();
    assert_eq!(standby.leadership.refused(), None);
}

#[tokio::test(start_paused = true)]
async fn the_lease_ends_by_the_wall_clock_too_if_the_machine_was_suspended() {
    let leadership = Leadership::default();
    let (elapsed, now) = (Instant::now() + Duration::from_secs(50), clock::now());
    leadership.set(Held::Until { elapsed, wall: now });
    assert_eq!(leadership.left(), None, "a minute has passed that this process did not see");
    // the clock was set back
    leadership.set(Held::Until { elapsed, wall: clock::after(now, Duration::from_secs(3600)) });
    assert_eq!(leadership.left(), Some(Duration::from_secs(50)));
}
