//! Who may come in: whoever opened the address that was printed, in the browser in which they opened it, from this page.
//!
//! The address has a token that is good once. It is exchanged for a cookie, which no script can read and no other site can
//! send, and for a key, which only scripts of this address, port included, can read: cookies are sent to every port of a host.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::failure::Failure;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};

/// How long the printed address can be opened.
const LIFE: Duration = Duration::from_secs(300);
/// The header that has the key.
pub(super) const KEY: &str = "x-serin-key";
/// Whom a browser says that it asks for.
const FETCH_SITE: &str = "sec-fetch-site";

/// The secrets of one start.
pub(super) struct Guard {
    token: String,
    cookie: String,
    key: String,
    port: u16,
    until: Instant,
    door: Mutex<Door>,
}

/// Where the token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Fresh,
    Used,
    /// Somebody else has used it as well.
    Closed,
}

/// Why somebody may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: &'static str,
    pub(super) hint: &'static str,
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is answered.
    Admitted,
    /// The token was exchanged: where to go, and the cookie to set.
    Exchanged { location: String, cookie: String },
}

const AGAIN: &str = "start \"kubectl canary dashboard\" again, and open the address that it prints";

fn forbidden(message: &'static str, hint: &'static str) -> Refusal {
    Refusal { status: StatusCode::FORBIDDEN, message, hint }
}

fn unknown(message: &'static str) -> Refusal {
    Refusal { status: StatusCode::UNAUTHORIZED, message, hint: AGAIN }
}

impl Guard {
    pub(super) fn new(port: u16, now: Instant) -> Result<Self, Failure> {
        let door = Mutex::new(Door::Fresh);
        Ok(Self { token: secret()?, cookie: secret()?, key: secret()?, port, until: now + LIFE, door })
    }

    /// What has to be opened.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.port, self.token)
    }

    fn cookie_name(&self) -> String {
        // cookies do not know ports: another dashboard on this machine has a name of its own
        format!("serin-dashboard-{}", self.port)
    }

    /// Judges a request by its head.
    pub(super) fn judge(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<Admission, Refusal> {
        let host = text(headers, header::HOST.as_str()).unwrap_or_default();
        if !is_loopback(host) {
            return Err(forbidden(
                "this page answers to 127.0.0.1 and localhost only",
                "open the address that \"kubectl canary dashboard\" printed",
            ));
        }
        let foreign = forbidden("this was asked by another site", "open the page itself, and ask there");
        if text(headers, FETCH_SITE).is_some_and(|site| !matches!(site, "same-origin" | "none")) {
            return Err(foreign);
        }
        let own = format!("http://{host}");
        match text(headers, header::ORIGIN.as_str()) {
            Some(origin) if origin != own => return Err(foreign),
            None if !matches!(*method, Method::GET | Method::HEAD) => return Err(foreign),
            _ => {}
        }
        if let Some(token) = token(uri) {
            return self.exchange(token, headers, now);
        }
        if !self.knows(headers) {
            return Err(unknown("this browser is not known here"));
        }
        let key = text(headers, KEY).unwrap_or_default();
        if uri.path().starts_with("/api/") && !same(key, &self.key) {
            return Err(unknown("this page was opened by an earlier start of the dashboard"));
        }
        Ok(Admission::Admitted)
    }

    fn exchange(&self, token: &str, headers: &HeaderMap, now: Instant) -> Result<Admission, Refusal> {
        if !same(token, &self.token) {
            return Err(unknown("this address is of another start of the dashboard"));
        }
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        let known = *door == Door::Used && self.has_cookie(headers);
        if !known {
            match *door {
                Door::Fresh if now <= self.until => *door = Door::Used,
                Door::Fresh => return Err(unknown("this address was good for five minutes")),
                Door::Used | Door::Closed => {
                    // whoever was first may have been somebody else
                    *door = Door::Closed;
                    return Err(unknown(
                        "this address was opened twice, by two browsers: the dashboard lets nobody in any more",
                    ));
                }
            }
        }
        let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie_name(), self.cookie);
        // what follows # is not sent: the page keeps it
        Ok(Admission::Exchanged { location: format!("/#key={}", self.key), cookie })
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let door = *self.door.lock().unwrap_or_else(PoisonError::into_inner);
        door == Door::Used && self.has_cookie(headers)
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(key, value)| key == name && same(value, &self.cookie))
    }
}

/// 32 random bytes.
fn secret() -> Result<String, Failure> {
    let mut bytes = [0_u8; 32];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| Failure::failed("the system gives no random numbers"))?;
    Ok(bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

/// Takes as long for any two texts of the same length.
fn same(one: &str, other: &str) -> bool {
    let differs = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differs == 0
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// The port is not looked at: it may have been forwarded. A name that leads here by somebody else's DNS is none of these.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

fn token(uri: &Uri) -> Option<&str> {
    uri.query().filter(|_| uri.path() == "/")?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A guard, and who asks: method, path and headers.
    struct Asked {
        guard: Guard,
        now: Instant,
    }

    impl Asked {
        fn new() -> Self {
            let now = Instant::now();
            Self { guard: Guard::new(4000, now).unwrap(), now }
        }

        fn with(&self, method: &Method, path: &str, headers: &[(&str, &str)]) -> Result<Admission, Refusal> {
            let mut all = HeaderMap::new();
            all.insert("host", "127.0.0.1:4000".parse().unwrap());
            for (name, value) in headers {
                all.insert(
                    axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                    value.parse().unwrap(),
                );
            }
            self.guard.judge(method, &path.parse().unwrap(), &all, self.now)
        }

        fn get(&self, path: &str, headers: &[(&str, &str)]) -> u16 {
            match self.with(&Method::GET, path, headers) {
                Ok(Admission::Admitted) => 200,
                Ok(Admission::Exchanged { .. }) => 303,
                Err(refusal) => refusal.status.as_u16(),
            }
        }

        fn open(&self) -> String {
            format!("/?token={}", self.guard.token)
        }

        fn cookie(&self) -> String {
            format!("other=1; serin-dashboard-4000={}", self.guard.cookie)
        }
    }

    #[test]
    fn the_token_is_good_once_and_becomes_a_cookie_and_a_key() {
        let asked = Asked::new();
        let (cookie, key) = (asked.cookie(), asked.guard.key.clone());
        assert_eq!(asked.get("/", &[("cookie", &cookie)]), 401, "before the token was used");
        assert_eq!(asked.get("/?token=1234", &[]), 401);
        let Ok(Admission::Exchanged { location, cookie: set }) = asked.with(&Method::GET, &asked.open(), &[])
        else {
            panic!("refused")
        };
        assert_eq!(location, format!("/#key={key}"));
        assert!(set.starts_with(&format!("serin-dashboard-4000={};", asked.guard.cookie)), "{set}");
        assert!(set.ends_with("; HttpOnly; SameSite=Strict") && !set.contains("Max-Age"), "{set}");
        assert_eq!(asked.get("/", &[("cookie", &cookie)]), 200);
        assert_eq!(asked.get("/", &[("cookie", "serin-dashboard-4000=1")]), 401);
        assert_eq!(asked.get("/", &[]), 401);
        assert_eq!(asked.get(&asked.open(), &[("cookie", &cookie)]), 303, "the same browser, once more");

        let api = "/api/v1/canaries";
        assert_eq!(asked.get(api, &[("cookie", &cookie)]), 401, "the cookie alone");
        assert_eq!(asked.get(api, &[(KEY, &key)]), 401, "the key alone");
        assert_eq!(asked.get(api, &[("cookie", &cookie), (KEY, &key)]), 200);
        assert_eq!(asked.get(api, &[("cookie", &cookie), (KEY, &key[1..])]), 401);
    }

    #[test]
    fn a_second_browser_with_the_token_ends_the_first_one_too() {
        let asked = Asked::new();
        assert_eq!(asked.get(&asked.open(), &[]), 303);
        let refusal = asked.with(&Method::GET, &asked.open(), &[]).unwrap_err();
        assert!(refusal.message.contains("opened twice"), "{refusal:?}");
        assert_eq!(asked.get("/", &[("cookie", &asked.cookie())]), 401);
        assert_eq!(asked.get(&asked.open(), &[("cookie", &asked.cookie())]), 401);
    }

    #[test]
    fn the_token_ends_with_its_time() {
        let mut asked = Asked::new();
        asked.now += LIFE + Duration::from_secs(1);
        let refusal = asked.with(&Method::GET, &asked.open(), &[]).unwrap_err();
        assert!(refusal.message.contains("five minutes"), "{refusal:?}");
    }

    #[test]
    fn names_that_lead_here_by_the_dns_of_others_are_refused() {
        let asked = Asked::new();
        for host in ["evil.example:4000", "127.0.0.1.evil.example", "127.0.0.2:4000", "", "localhost.evil:1"]
        {
            let asked = asked.get(&asked.open(), &[("host", host)]);
            assert_eq!(asked, 403, "{host}");
        }
        for host in ["localhost:4000", "127.0.0.1:8080", "[::1]:4000", "localhost"] {
            assert!(is_loopback(host), "{host}");
        }
    }

    #[test]
    fn other_sites_ask_for_nothing_even_with_the_cookie() {
        let asked = Asked::new();
        assert_eq!(asked.get(&asked.open(), &[]), 303);
        let (cookie, key) = (asked.cookie(), asked.guard.key.clone());
        let known = [("cookie", cookie.as_str()), (KEY, key.as_str())];
        let post = |more: &[(&'static str, &'static str)]| {
            let headers: Vec<_> = known.iter().copied().chain(more.iter().copied()).collect();
            asked
                .with(&Method::POST, "/api/v1/canaries/a/b/requests", &headers)
                .map_err(|r| r.status.as_u16())
        };
        assert_eq!(post(&[]), Err(403), "a browser says which site it writes for");
        assert_eq!(post(&[("origin", "http://127.0.0.1:4001")]), Err(403), "another port is another site");
        assert_eq!(post(&[("origin", "https://evil.example")]), Err(403));
        assert_eq!(post(&[("origin", "null")]), Err(403));
        let own = ("origin", "http://127.0.0.1:4000");
        assert_eq!(post(&[own, ("sec-fetch-site", "same-site")]), Err(403));
        assert_eq!(post(&[own, ("sec-fetch-site", "same-origin")]), Ok(Admission::Admitted));
        assert_eq!(asked.get("/", &[known[0], ("sec-fetch-site", "cross-site")]), 403);
        assert_eq!(asked.get("/", &[known[0], ("sec-fetch-site", "none")]), 200);
    }
}
