//! PURE. Session affinity cookies for routers: how they are recognised in a request and set in a response.

use sha2::{Digest, Sha256};

use crate::{api::SessionAffinity, spec::Validated};

/// A day: default lifetime of a cookie without `maxAge`, in seconds. As in Flagger, 0 is none.
const DAY: i64 = 86_400;

/// A cookie `name=value` for one run of one Canary: the value is ten letters, and always the same for the same run.
pub(crate) fn fresh(name: &str, uid: &str, epoch: i64) -> String {
    let digest = Sha256::digest(format!("{uid}/{epoch}/{name}").as_bytes());
    let letters: String = digest.iter().take(10).map(|byte| char::from(b'a' + byte % 26)).collect();
    format!("{name}={letters}")
}

/// A cookie `name=` without a value, which nobody is given.
pub(super) fn of_nobody(name: &str) -> String {
    format!("{name}=")
}

/// Regular expression (RE2, for the whole value) for a `Cookie` header with this `name=value`.
pub(super) fn pattern(cookie: &str) -> String {
    let mut escaped = String::new();
    for c in cookie.chars() {
        if "\\.+*?()|[]{}^$#&-~".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    format!("(.*; ?)?{escaped}(;.*)?")
}

/// `Set-Cookie` for users of the canary: lasts `maxAge`.
pub(super) fn set_for_canary(affinity: &SessionAffinity, cookie: &str) -> String {
    set(affinity, cookie, affinity.max_age.filter(|age| *age != 0).map_or(DAY, i64::from))
}

/// `Set-Cookie` for users of the primary: lasts an interval, so that they take part in the next step.
pub(super) fn set_for_primary(c: &Validated, affinity: &SessionAffinity, cookie: &str) -> String {
    set(affinity, cookie, i64::try_from(c.interval.as_secs()).unwrap_or(DAY))
}

/// `Set-Cookie` that removes a cookie of an earlier run.
pub(super) fn expire(affinity: &SessionAffinity, cookie: &str) -> String {
    set(affinity, cookie, -1)
}

/// Attributes in Flagger's order.
fn set(affinity: &SessionAffinity, cookie: &str, max_age: i64) -> String {
    let text = |name: &str, value: &Option<String>| {
        value.as_deref().filter(|v| !v.is_empty()).map(|v| format!("{name}={v}"))
    };
    let flag = |name: &str, on: Option<bool>| (on == Some(true)).then(|| name.to_owned());
    let attributes = [
        text("Domain", &affinity.domain),
        flag("HttpOnly", affinity.http_only),
        flag("Partitioned", affinity.partitioned),
        text("Path", &affinity.path),
        text("SameSite", &affinity.same_site),
        flag("Secure", affinity.secure),
    ];
    let mut all = format!("{cookie}; Max-Age={max_age}");
    for attribute in attributes.into_iter().flatten() {
        all.push_str("; ");
        all.push_str(&attribute);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::fixture;

    #[test]
    fn attributes_follow_in_order() {
        let affinity = SessionAffinity {
            cookie_name: "c".into(),
            domain: Some("example.com".into()),
            http_only: Some(true),
            partitioned: Some(true),
            path: Some("/".into()),
            same_site: Some("Lax".into()),
            secure: Some(true),
            max_age: Some(60),
            ..SessionAffinity::default()
        };
        let all = "Domain=example.com; HttpOnly; Partitioned; Path=/; SameSite=Lax; Secure";
        assert_eq!(set_for_canary(&affinity, "c=x"), format!("c=x; Max-Age=60; {all}"));
        assert_eq!(expire(&affinity, "c=x"), format!("c=x; Max-Age=-1; {all}"));
        let plain = SessionAffinity::default();
        assert_eq!(set_for_canary(&plain, "c=x"), "c=x; Max-Age=86400");
        let zero = SessionAffinity { max_age: Some(0), ..SessionAffinity::default() };
        assert_eq!(set_for_canary(&zero, "c=x"), "c=x; Max-Age=86400");
        let c = fixture::canary(&serde_json::json!({}));
        assert_eq!(set_for_primary(&c, &plain, "p=y"), format!("p=y; Max-Age={}", c.interval.as_secs()));
    }

    #[test]
    fn a_run_has_one_cookie() {
        let cookie = fresh("c", "uid", 3);
        assert!(cookie.starts_with("c=") && cookie.len() == 12, "{cookie}");
        assert_eq!(cookie, fresh("c", "uid", 3));
        assert!(cookie != fresh("c", "uid", 4) && cookie != fresh("c", "other", 3));
    }

    #[test]
    fn names_are_taken_literally() {
        assert_eq!(pattern("a.b=xyz"), r"(.*; ?)?a\.b=xyz(;.*)?");
    }
}
