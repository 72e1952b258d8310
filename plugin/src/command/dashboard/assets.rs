//! The files of the page. They are in the program, and ask for nothing from outside.

use axum::{
    extract::Request,
    http::{Method, StatusCode},
    response::Response,
};

use super::page::{Refused, with_type};
use crate::failure::{Failure, code};

/// Path, type and content.
pub(super) const ASSETS: [(&str, &str, &str); 10] = [
    ("/", "text/html; charset=utf-8", include_str!("../../../ui/index.html")),
    ("/app.css", "text/css; charset=utf-8", include_str!("../../../ui/app.css")),
    ("/icon.svg", "image/svg+xml", include_str!("../../../ui/icon.svg")),
    ("/main.js", SCRIPT, include_str!("../../../ui/main.js")),
    ("/net.js", SCRIPT, include_str!("../../../ui/net.js")),
    ("/dom.js", SCRIPT, include_str!("../../../ui/dom.js")),
    ("/list.js", SCRIPT, include_str!("../../../ui/list.js")),
    ("/release.js", SCRIPT, include_str!("../../../ui/release.js")),
    ("/charts.js", SCRIPT, include_str!("../../../ui/charts.js")),
    ("/ask.js", SCRIPT, include_str!("../../../ui/ask.js")),
];
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file of the page, or 404.
pub(super) async fn asset(request: Request) -> Result<Response, Refused> {
    let path = request.uri().path();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let failure = Failure::usage("nothing can be written here");
        return Err(Refused { status: StatusCode::METHOD_NOT_ALLOWED, failure });
    }
    let found = ASSETS.iter().find(|(own, _, _)| *own == path);
    let Some((_, kind, content)) = found else {
        return Err(Failure::new(code::NOT_FOUND, "there is no such page").into());
    };
    Ok(with_type(StatusCode::OK, kind, *content))
}
