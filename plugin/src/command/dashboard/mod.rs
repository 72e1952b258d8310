//! `dashboard`: a page to watch and steer releases, served by this program to the browser of whoever started it.
//!
//! It listens on this machine only and acts with the caller's own kubeconfig. What it shows is the view that `get` and `history`
//! print, and what it writes are the requests of the commands.

mod act;
mod api;
mod assets;
mod board;
mod detail;
mod guard;
mod live;
mod message;
mod page;
mod release;
mod row;

use std::{net::Ipv4Addr, process::Stdio, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use tokio::{net::TcpListener, process::Command};

use self::{
    guard::{Admission, Guard, Refusal},
    page::{Page, Refused, with_type},
};
use super::{args::DashboardArgs, context::Context, environment, interrupt::interrupted};
use crate::{
    cluster::asks_by,
    failure::{Failure, code},
};

/// Serves until somebody ends it. `only` is a namespace that was named, and `flags` are those that commands need to reach the
/// same cluster.
pub(super) async fn run(
    context: &Context,
    args: &DashboardArgs,
    only: bool,
    flags: String,
) -> Result<(), Failure> {
    let all = !only && context.cluster.may_list(true).await?;
    if !all && !only {
        let namespace = &context.cluster.namespace;
        context
            .out
            .say(&format!("Canaries of all namespaces may not be listed: showing those of {namespace}"));
    }
    if !all && !context.cluster.may_list(false).await? {
        let namespace = &context.cluster.namespace;
        return Err(Failure::new(code::FAILED, format!("may not list Canaries in namespace {namespace}"))
            .hint(format!("missing right: list canaries.flagger.app in namespace {namespace}")));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await.map_err(|error| {
        Failure::failed(format!("port {} cannot be opened on 127.0.0.1: {error}", args.port))
            .hint("choose another one with --port, or none to get one that is free")
    })?;
    let port = listener.local_addr().map_err(|error| Failure::failed(format!("no address: {error}")))?.port();
    let guard = Guard::new(port, Instant::now())?;
    let address = guard.address();
    let mark = crate::cluster::id("board").replace('-', "");
    let mut page = Page::new(guard, context.cluster.clone(), context.out, &mark);
    page.all = all;
    page.read_only = args.read_only;
    page.flags = flags;
    page.by = asks_by(&context.cluster).await;
    let page = Arc::new(page);
    context.out.text(&format!("{address}\n"))?;
    context.out.say("open it within five minutes: it lets one browser in. Ctrl-C ends the dashboard.");
    if !args.no_open && environment::has_screen() {
        open(context, &address);
    }
    let served = axum::serve(listener, router(page.clone()));
    tokio::select! {
        done = async { served.await } => {
            done.map_err(|error| Failure::failed(format!("the dashboard cannot go on: {error}")))
        }
        () = live::follow(&page) => Ok(()),
        () = interrupted() => {
            context.out.say("the dashboard has ended");
            Ok(())
        }
    }
}

/// In the browser of the desktop, if there is one. It is not waited for.
fn open(context: &Context, address: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opened = Command::new(program)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = opened {
        context.out.say(&format!("no browser is opened: {program}: {error}"));
    }
}

/// All that is answered. What writes is not there at all with `--read-only`.
fn router(page: Arc<Page>) -> Router {
    let mut router = Router::new()
        .route("/api/v1/me", get(api::me))
        .route("/api/v1/canaries", get(api::canaries))
        .route("/api/v1/canaries/{namespace}/{name}", get(api::canary))
        .route("/api/v1/canaries/{namespace}/{name}/runs", get(api::runs))
        .route("/api/v1/canaries/{namespace}/{name}/diff", get(api::diff))
        .route("/api/v1/canaries/{namespace}/{name}/diff/{hash}", get(api::diff_to))
        .route("/api/v1/events", get(live::fleet))
        .route("/api/v1/events/{namespace}/{name}", get(live::release));
    if !page.read_only {
        router = router.route("/api/v1/canaries/{namespace}/{name}/requests", post(act::ask));
    }
    router
        .fallback(assets::asset)
        .with_state(page.clone())
        .layer(from_fn_with_state(page, guarded))
        .layer(from_fn(sealed))
}

async fn guarded(State(page): State<Arc<Page>>, request: Request, next: Next) -> Response {
    let judged = page.guard.judge(request.method(), request.uri(), request.headers(), Instant::now());
    match judged {
        Ok(Admission::Admitted) => next.run(request).await,
        Ok(Admission::Exchanged { location, cookie }) => {
            let headers = [(header::LOCATION, location), (header::SET_COOKIE, cookie)];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Err(Refusal { status, message, hint }) => {
            let failure = Failure::failed(message).hint(hint);
            if request.uri().path().starts_with("/api/") {
                return Refused { status, failure }.into_response();
            }
            with_type(status, "text/plain; charset=utf-8", format!("{message}\n{hint}\n"))
        }
    }
}

/// What a browser may do with an answer: everything is from here, nothing of it is kept, and nobody may frame it.
const SEAL: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-frame-options"), "DENY"),
];

async fn sealed(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in SEAL {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
