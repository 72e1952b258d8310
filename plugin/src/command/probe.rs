//! `probe`: requests a URL many times, and counts which version answers. Needs no cluster.
#![allow(clippy::disallowed_types, reason = "a server of the user's choice is asked")]

use std::time::Duration;

use clap::{Args, ValueEnum};
use futures::{StreamExt as _, stream};
use reqwest::{
    Client,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::json;

use super::{out::Out, values::time};
use crate::{
    failure::Failure,
    probe::{By, Share, Tally},
    screen,
    view::API_VERSION,
};

/// The default number of requests.
const REQUESTS: u32 = 100;
/// Maximum number of bytes that are read from an answer.
const LARGEST: usize = 64 * 1024;

#[derive(Args, Debug)]
pub(crate) struct ProbeArgs {
    /// What is asked; "-n N" says how often, 100 times without it
    #[arg(value_name = "URL")]
    url: String,
    /// Requests at the same time
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// A header of each request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// How an answer tells of its version: body (its first line), header:NAME or json:PATH
    #[arg(long, value_name = "WHERE", default_value = "body", value_parser = By::parse)]
    by: By,
    /// The share that a version should have: exit code 1 where it lies outside of the interval
    #[arg(long, value_name = "VERSION=PERCENT", value_parser = wanted)]
    want: Option<(String, f64)>,
    /// How long an answer may take
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10s")]
    timeout: Duration,
    /// Form of output
    #[arg(short, long, value_enum, default_value = "table")]
    output: Form,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A table
    Table,
    /// As JSON
    Json,
}

impl ProbeArgs {
    pub(super) fn json(&self) -> bool {
        self.output == Form::Json
    }
}

/// `number` is the value of -n, which is not a namespace here.
pub(super) async fn run(out: Out, args: &ProbeArgs, number: Option<&str>) -> Result<(), Failure> {
    let requests = requests(number)?;
    let headers: HeaderMap = args.headers.iter().cloned().collect();
    // a new connection for each request: a kept one would reach the same pod again
    let client = Client::builder()
        .timeout(args.timeout)
        .pool_max_idle_per_host(0)
        .redirect(Policy::none())
        .default_headers(headers)
        .build()
        .map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    let url: reqwest::Url =
        args.url.parse().map_err(|error| Failure::usage(format!("{} is no URL: {error}", args.url)))?;
    let one = |_| {
        let (client, url, by) = (client.clone(), url.clone(), args.by.clone());
        async move { ask(&client, url, &by).await }
    };
    let mut answers = stream::iter(0..requests).map(one).buffer_unordered(usize::from(args.concurrency));
    let mut tally = Tally::default();
    while let Some(answer) = answers.next().await {
        match answer {
            Ok((version, failed)) => tally.answer(version, failed),
            Err(why) => tally.none(&why),
        }
    }
    show(out, args, &tally)
}

fn show(out: Out, args: &ProbeArgs, tally: &Tally) -> Result<(), Failure> {
    match args.output {
        Form::Json => out.json(&report(&args.url, tally))?,
        Form::Table => out.lines(&screen::probe(tally, &out.term))?,
    }
    verdict(tally, args.want.as_ref())
}

fn report(url: &str, tally: &Tally) -> serde_json::Value {
    json!({
        "apiVersion": API_VERSION, "kind": "ProbeReport", "url": url, "shares": tally.shares(),
        "unanswered": tally.unanswered(),
    })
}

fn verdict(tally: &Tally, want: Option<&(String, f64)>) -> Result<(), Failure> {
    if tally.shares().is_empty() {
        return Err(Failure::failed("nothing answered").hint("is the URL reachable from here? Inside a cluster, \"kubectl port-forward\" leads to one pod only: ask the gateway or the load balancer"));
    }
    let Some((version, percent)) = want else { return Ok(()) };
    let Share { low, high, .. } = tally.share(version);
    if (low..=high).contains(percent) {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "the share of {version} is between {low:.1} and {high:.1} %, and {percent} % is wanted"
    )))
}

/// The version that answers, and whether the answer is an error.
async fn ask(client: &Client, url: reqwest::Url, by: &By) -> Result<(String, bool), String> {
    let why = |error: reqwest::Error| {
        let (timeout, connect) = (error.is_timeout(), error.is_connect());
        match (timeout, connect) {
            (true, _) => "no answer in time".to_owned(),
            (_, true) => "cannot connect".to_owned(),
            _ => error.without_url().to_string(),
        }
    };
    let answer = client.get(url).send().await.map_err(why)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut body = Vec::new();
    let mut parts = answer.bytes_stream();
    while let Some(part) = parts.next().await {
        body.extend_from_slice(&part.map_err(why)?);
        if body.len() > LARGEST {
            break;
        }
    }
    let header =
        |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let failed = status.is_client_error() || status.is_server_error();
    Ok((by.version(header, &String::from_utf8_lossy(&body)), failed))
}

fn requests(number: Option<&str>) -> Result<u32, Failure> {
    let Some(text) = number else { return Ok(REQUESTS) };
    text.parse().ok().filter(|count| (1..=1_000_000).contains(count)).ok_or_else(|| {
        Failure::usage(format!("-n {text}: it is the number of requests here, from 1 to 1000000"))
    })
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or_else(|| format!("{text:?} is not NAME: VALUE"))?;
    let name = name.trim().parse().map_err(|_| format!("{name:?} is no name of a header"))?;
    let value = value.trim().parse().map_err(|_| format!("{value:?} is no value of a header"))?;
    Ok((name, value))
}

fn wanted(text: &str) -> Result<(String, f64), String> {
    let (version, percent) =
        text.rsplit_once('=').ok_or_else(|| format!("{text:?} is not VERSION=PERCENT"))?;
    let percent = percent.parse().ok().filter(|p| (0.0..=100.0).contains(p));
    percent
        .map(|percent| (version.to_owned(), percent))
        .ok_or_else(|| format!("{text:?}: a share is 0 to 100"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::code;

    #[test]
    fn exit_codes_follow_the_wanted_share() {
        let mut tally = Tally::default();
        let exit = |tally: &Tally, want: Option<(&str, f64)>| {
            let want = want.map(|(version, percent)| (version.to_owned(), percent));
            verdict(tally, want.as_ref()).map_or_else(|failure| failure.code, |()| 0)
        };
        assert_eq!(exit(&tally, None), code::FAILED);
        for i in 0..1000 {
            tally.answer(if i % 4 == 0 { "v2".into() } else { "v1".into() }, false);
        }
        assert_eq!(crate::schema::violations(&report("http://x/", &tally)), Vec::<String>::new());
        assert_eq!(
            (exit(&tally, None), exit(&tally, Some(("v2", 25.0))), exit(&tally, Some(("v2", 50.0)))),
            (0, 0, 1)
        );
        assert_eq!(exit(&tally, Some(("v3", 10.0))), 1);
    }

    #[test]
    fn flags_are_read_or_refused() {
        assert_eq!((requests(None).unwrap(), requests(Some("1000")).unwrap()), (100, 1000));
        for text in ["shop", "0", "-1", "2000000"] {
            assert_eq!(requests(Some(text)).unwrap_err().code, 2);
        }
        assert_eq!(header("X-Canary: always").unwrap().0, "x-canary");
        assert_eq!(wanted("app=v2=25").unwrap(), ("app=v2".into(), 25.0));
        for text in ["v2", "v2=101", "v2=x"] {
            wanted(text).unwrap_err();
        }
        header("nothing").unwrap_err();
    }
}
