//! Notes that are worth an alert → chat services, through a bounded queue for each service, so that nothing waits for
//! them.
//!
//! Decides who gets which alert, sends it once, and retries. The plan's notes decide what is worth an alert, and its
//! text. Losing an alert never fails a pass: conditions and Events have the full truth.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this module sends alerts")]

mod message;
mod payload;
mod provider;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::header::{CONTENT_TYPE, HeaderValue};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use tokio_util::task::TaskTracker;

use self::{
    message::Message,
    provider::{Destination, Providers, Service},
};
use crate::{
    api::{Canary, CanaryAlert, CanaryStatus},
    clock,
    config::{Notifier, Rules},
    events::{Events, reference},
    net::{Outbound, Request},
    observe::ObjectCache,
    plan::{Note, Urgency},
    queues::{Bounds, Item, Queues},
    snapshot::Denial,
    source::http::retry_after,
    telemetry::Metrics,
};

/// Alerts of one namespace that may wait for one service; more are dropped. In all they may take 256 KiB.
const QUEUE: Bounds = Bounds { items: 64, of_one: 256 << 10, bytes: 4 << 20 };
/// One try, from connecting to the last byte.
const DEADLINE: Duration = Duration::from_secs(5);
/// Waits before further tries.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// Longest wait that a service may ask for: others are waiting behind it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Most bytes of an answer that are read.
const LARGEST: usize = 4096;
/// The same reason in the same run is sent again after this long.
const ONCE_IN: Duration = Duration::from_secs(3600);
/// Alerts remembered for this purpose, over all Canaries.
const REMEMBERED: usize = 4096;

/// A receiver of alerts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Receiver {
    /// The service of the operator's own settings.
    Own,
    /// An AlertProvider.
    Provider {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("the service of the operator's flags"),
            Self::Provider { namespace, name } => write!(f, "AlertProvider {namespace}/{name}"),
        }
    }
}

/// An alert that is being sent.
struct Delivery {
    message: Message,
    about: ObjectReference,
}

/// What has been sent: uid, epoch, reason.
type Sent = (String, i64, String);

/// Sends alerts.
#[derive(Clone)]
pub(crate) struct Alerts(Arc<Inner>);

struct Inner {
    cache: Arc<ObjectCache>,
    providers: Providers,
    out: Outbound,
    events: Events,
    metrics: Arc<Metrics>,
    own: Option<Notifier>,
    cluster: String,
    queues: Queues<Receiver, Delivery>,
    sent: Mutex<BTreeMap<Sent, Timestamp>>,
}

/// The dependencies of sending.
pub(crate) struct Parts {
    /// Holds the AlertProviders.
    pub cache: Arc<ObjectCache>,
    /// Reads their Secrets.
    pub client: Client,
    /// Sends requests.
    pub out: Outbound,
    /// Rules about which namespaces AlertProviders serve.
    pub rules: Rules,
    /// Reports alerts that cannot be sent.
    pub events: Events,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// The service for Canaries that name none.
    pub own: Option<Notifier>,
    /// Name of the cluster in alerts; may be empty.
    pub cluster: String,
    /// Awaited at shutdown.
    pub tasks: TaskTracker,
}

impl Alerts {
    /// A sender with empty queues.
    pub(crate) fn new(parts: Parts) -> Self {
        let inner = Arc::new(Inner {
            cache: parts.cache,
            providers: Providers::new(parts.client, parts.rules),
            out: parts.out,
            events: parts.events,
            metrics: parts.metrics,
            own: parts.own,
            cluster: parts.cluster,
            queues: Queues::new(QUEUE, parts.tasks),
            sent: Mutex::default(),
        });
        // The tasks keep the cache alive only while we do.
        let ours = Arc::downgrade(&inner);
        inner.cache.when_secrets_go(move |is_gone| {
            ours.upgrade().into_iter().for_each(|inner| inner.providers.forget(is_gone));
        });
        Self(inner)
    }

    /// Sends a note to the receivers of the Canary. Returns at once.
    pub(crate) fn send(&self, canary: &Canary, status: &CanaryStatus, note: &Note) {
        let Some(alert) = &note.alert else { return };
        let receivers = receivers(canary, alert.urgency, self.0.own.is_some());
        let what = alert.once(note.reason, status);
        let about = reference(canary);
        for to in receivers {
            let what = format!("{what} to {to}");
            if self.0.is_new(&about, status.epoch, &what) {
                let message = Message::of(canary, status, note, alert, &self.0.cluster);
                if !self.enqueue(&to, Delivery { message, about: about.clone() }) {
                    self.0.forget(&about, status.epoch, &what);
                }
            }
        }
    }

    /// False: it was dropped.
    fn enqueue(&self, to: &Receiver, delivery: Delivery) -> bool {
        let (inner, receiver) = (self.0.clone(), to.clone());
        let deliver = move |delivery| {
            let (inner, receiver) = (inner.clone(), receiver.clone());
            async move { inner.deliver(&receiver, delivery).await }
        };
        let message = &delivery.message;
        let item = Item { owner: message.namespace.clone(), bytes: message.bytes(), what: delivery };
        if let Err(delivery) = self.0.queues.push(to, item, deliver) {
            tracing::warn!(%to, canary = delivery.message.about(), "alert dropped, too many wait");
            self.0.metrics.alerted("", "dropped");
            self.0.say_unsent(to, delivery.about, Denial::plain("too many are waiting"));
            return false;
        }
        true
    }
}

/// The receivers of alerts of this urgency, each once.
fn receivers(canary: &Canary, urgency: Urgency, own: bool) -> Vec<Receiver> {
    let alerts = canary.analysis().map(|a| a.alerts.as_slice()).unwrap_or_default();
    if alerts.is_empty() {
        return if own { vec![Receiver::Own] } else { vec![] };
    }
    let namespace = canary.metadata.namespace.as_deref().unwrap_or_default();
    let to = |alert: &CanaryAlert| {
        let named = alert.provider_ref.namespace.as_deref().filter(|n| !n.is_empty());
        Receiver::Provider {
            namespace: named.unwrap_or(namespace).to_owned(),
            name: alert.provider_ref.name.clone(),
        }
    };
    let mut all: Vec<_> = alerts.iter().filter(|alert| wants(alert) <= urgency).map(to).collect();
    all.sort();
    all.dedup();
    all
}

/// The least urgent note that an alert asks for: everything, unless it sets a severity.
fn wants(alert: &CanaryAlert) -> Urgency {
    match alert.severity.as_deref() {
        Some("error") => Urgency::Error,
        Some("warn") => Urgency::Warn,
        _ => Urgency::Info,
    }
}

impl Inner {
    /// True unless the same was sent for this run within the last hour.
    fn is_new(&self, about: &ObjectReference, epoch: i64, what: &str) -> bool {
        let now = clock::now();
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|_, at| now.duration_since(*at).unsigned_abs() < ONCE_IN);
        if sent.len() >= REMEMBERED {
            sent.clear();
        }
        sent.insert(remembered(about, epoch, what), now).is_none()
    }

    /// This was not sent after all.
    fn forget(&self, about: &ObjectReference, epoch: i64, what: &str) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.remove(&remembered(about, epoch, what));
    }

    async fn deliver(&self, to: &Receiver, delivery: Delivery) {
        let found = match (to, &self.own) {
            (Receiver::Own, Some(settings)) => Destination::of_settings(settings),
            (Receiver::Own, None) => Err("there is none".to_owned()),
            (Receiver::Provider { namespace, name }, _) => {
                let borrower = delivery.about.namespace.as_deref().unwrap_or_default();
                self.providers.find(&self.cache, (namespace, name), borrower).await
            }
        };
        let service = found.as_ref().map_or("", |destination| destination.service.name());
        let outcome = match &found {
            Ok(destination) => self.post(destination, &delivery.message).await,
            Err(why) => Err(Denial::plain(why.clone())),
        };
        let (canary, reason) = (delivery.message.about(), delivery.message.reason);
        match outcome {
            Ok(()) => {
                tracing::debug!(canary, reason, %to, "alert sent");
                self.metrics.alerted(service, "sent");
            }
            Err(denial) => {
                tracing::warn!(canary, reason, %to, "alert not sent: {}", denial.why);
                self.metrics.alerted(service, "failed");
                self.say_unsent(to, delivery.about, denial);
            }
        }
    }

    /// Publishes why an alert did not reach its receiver, once an hour for the same text.
    fn say_unsent(&self, to: &Receiver, about: ObjectReference, Denial { why, quote }: Denial) {
        let [text, quote] = [why, quote].map(|why| format!("An alert was not sent to {to}: {why}"));
        if self.serves(to, &about) && self.is_new(&about, 0, &text) {
            let note = Note { quote: Some(quote), ..Note::warning("AlertNotSent", text) };
            self.events.publish_about(about, &note);
        }
    }

    /// The condition `Advisory` names one that does not exist or serves only other namespaces: it is not reported again
    /// here.
    fn serves(&self, to: &Receiver, about: &ObjectReference) -> bool {
        match to {
            Receiver::Own => true,
            Receiver::Provider { namespace, name } => {
                let borrower = about.namespace.as_deref().unwrap_or_default();
                self.providers.spec(&self.cache, (namespace, name), borrower).is_ok()
            }
        }
    }

    /// Retries a few times if that may help, and not before the service wants it.
    async fn post(&self, to: &Destination, message: &Message) -> Result<(), Denial> {
        let body = payload::payload(to, message, clock::now());
        let mut pauses = PAUSES.iter();
        loop {
            let post = Request::post(to.url.clone(), &body, DEADLINE, LARGEST);
            let mut request = post.of(&message.namespace);
            request.proxy.clone_from(&to.proxy);
            request.namespace.clone_from(&to.namespace);
            request.confidential = to.confidential;
            if to.service == Service::Webhook {
                let event = HeaderValue::from_static("application/cloudevents+json");
                request.headers.insert(CONTENT_TYPE, event);
            }
            if let Some(token) = &to.token {
                request = request.header("authorization", &format!("Bearer {token}"));
            }
            let (why, again) = match self.out.send(request).await {
                Ok(answer) => match accepted(answer.status, &answer.body) {
                    Ok(()) => return Ok(()),
                    Err(refused) => {
                        let quote = format!("{refused} {}", answer.quote(&answer.body));
                        let wait = wanted(answer.retry_after.as_deref(), clock::now());
                        (
                            Denial { quote: quote.trim_end().to_owned(), why: refused },
                            is_retryable(answer.status).then_some(wait),
                        )
                    }
                },
                Err(error) => (Denial::plain(error.to_string()), error.may_pass().then_some(Duration::ZERO)),
            };
            match pauses.next().zip(again) {
                Some((pause, wanted)) => tokio::time::sleep(wanted.max(*pause)).await,
                None => return Err(why),
            }
        }
    }
}

fn remembered(about: &ObjectReference, epoch: i64, what: &str) -> Sent {
    (about.uid.clone().unwrap_or_default(), epoch, what.to_owned())
}

/// How long a service wants to be left alone, by its header `Retry-After`, as far as it is waited for.
fn wanted(said: Option<&str>, now: Timestamp) -> Duration {
    let wanted = said.and_then(|text| retry_after(text, now));
    wanted.unwrap_or_default().min(LONGEST_PAUSE)
}

/// Slack's API reports failures with status 200.
fn accepted(status: u16, body: &[u8]) -> Result<(), String> {
    if !(200..300).contains(&status) {
        return Err(format!("it answers {status}"));
    }
    let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    if said["ok"] == false { Err("it answers that it does not take it".to_owned()) } else { Ok(()) }
}

/// A status that may change soon.
fn is_retryable(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502..=599)
}
