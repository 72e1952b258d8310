//! Generates the dashboards in `grafana-dashboards/` and the alert rules in `deploy/monitoring/` from the operator's
//! catalogue of metrics. `make monitoring` writes them. A test fails if they differ from the generated ones.
//!
//! - [`query`]: PromQL for the operator's metrics, whose namespace may be in one of two labels
//! - [`board`]: dashboards, rows and panels; [`release`], [`fleet`], [`operator`], [`flagger`]: the dashboards
//! - [`rules`]: alert rules, as a file for Prometheus and as a PrometheusRule, and [`cases`], their unit tests
//! - [`check`]: checks of all of them

pub mod board;
pub mod cases;
pub mod check;
pub mod flagger;
pub mod fleet;
pub mod operator;
pub mod query;
pub mod release;
pub mod rules;

use board::Board;

/// All dashboards, by file name.
pub fn boards() -> Vec<(&'static str, Board)> {
    vec![
        ("release.json", release::board()),
        ("fleet.json", fleet::board()),
        ("operator.json", operator::board()),
        ("flagger-istio.json", flagger::istio()),
        ("flagger-envoy.json", flagger::envoy()),
    ]
}

/// All generated files: path in the repository and contents.
pub fn files() -> Vec<(String, String)> {
    let board = |(name, board): (&str, Board)| {
        let json = serde_json::to_string_pretty(&board.json()).unwrap_or_default();
        (format!("grafana-dashboards/{name}"), json + "\n")
    };
    let mut all: Vec<(String, String)> = boards().into_iter().map(board).collect();
    all.extend([
        ("deploy/monitoring/rules.yaml".to_owned(), rules::file(1)),
        ("deploy/monitoring/prometheusrule.yaml".to_owned(), rules::object()),
        ("deploy/monitoring/rules-test.yaml".to_owned(), cases::file()),
    ]);
    all
}
