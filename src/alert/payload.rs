//! PURE. A message in the format of a service. Formats are Flagger's; `webhook` is a CloudEvent (1.0, JSON).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    message::Message,
    provider::{Destination, Service},
};
use crate::{names, plan::Urgency};

/// The body to post.
pub(super) fn payload(to: &Destination, message: &Message, now: Timestamp) -> Value {
    match to.service {
        Service::Slack | Service::Discord => slack(to, message, ["good", "danger"]),
        Service::Rocket => slack(to, message, ["#0076D7", "#FF0000"]),
        Service::MsTeams => teams(message),
        Service::GoogleChat => google_chat(message),
        Service::Webhook => cloud_event(message, now),
    }
}

fn slack(to: &Destination, message: &Message, [good, bad]: [&str; 2]) -> Value {
    let field = |(title, value): &(String, String)| json!({"title": title, "value": value, "short": false});
    json!({
        "channel": to.channel,
        "username": to.username,
        "icon_url": "",
        "icon_emoji": ":rocket:",
        "attachments": [{
            "color": if message.urgency == Urgency::Error { bad } else { good },
            "author_name": message.about(),
            "text": message.text,
            "mrkdwn_in": ["text"],
            "fields": message.fields.iter().map(field).collect::<Vec<_>>(),
        }],
    })
}

fn teams(message: &Message) -> Value {
    let fact = |(name, value): &(String, String)| json!({"name": name, "value": value});
    json!({
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "themeColor": if message.urgency == Urgency::Error { "FF0000" } else { "0076D7" },
        "summary": message.about(),
        "sections": [{
            "activityTitle": message.text,
            "activitySubtitle": message.about(),
            "facts": message.fields.iter().map(fact).collect::<Vec<_>>(),
        }],
    })
}

fn google_chat(message: &Message) -> Value {
    let paragraph = |text: String| json!({"widgets": [{"textParagraph": {"text": text}}]});
    let strong = |text: &str| format!("<font color=#848484><strong>{}</strong></font>", escaped(text));
    let fields = message.fields.iter().map(|(title, value)| {
        let value = strong(value);
        paragraph(format!("{}<br>{value}", escaped(title)))
    });
    json!({"cards": [{
        "header": {
            "title": "Flagger",
            "subtitle": message.about(),
            "imageUrl": "https://flagger.app/favicon.png",
        },
        "sections": std::iter::once(paragraph(strong(&message.text))).chain(fields).collect::<Vec<_>>(),
    }]})
}

/// Escapes text: some sentences contain what a metrics server or a hook answered.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cloud_event(message: &Message, now: Timestamp) -> Value {
    let fields: serde_json::Map<_, _> =
        message.fields.iter().map(|(title, value)| (title.clone(), json!(value))).collect();
    json!({
        "specversion": "1.0",
        "id": message.id,
        "type": format!("dev.{}.canary.alert", names::COMPONENT),
        "source": format!("/apis/flagger.app/v1beta1/namespaces/{}/canaries/{}", message.namespace, message.canary),
        "subject": message.reason,
        "time": now.to_string(),
        "datacontenttype": "application/json",
        "data": {
            "name": message.canary,
            "namespace": message.namespace,
            "phase": message.phase,
            "canaryWeight": message.weight,
            "severity": message.urgency,
            "reason": message.reason,
            "message": message.text,
            "fields": fields,
        },
    })
}
