//! Prometheus: its settings and instant queries.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::http;
use crate::{
    addresses::PROMETHEUS,
    part::{Part, Probe},
};

/// Its file of rules, which does not exist at first.
const RULES: &str = "prometheus-rules.json";

/// Prometheus, which scrapes Envoy, the scripted series and annotated pods every second.
///
/// Start it after the API server, because the kubeconfig names its certificate.
pub(super) fn part(dir: &Path, parts: &Path, kubeconfig: &Path) -> anyhow::Result<Part> {
    let config = dir.join("prometheus.yml");
    let text = include_str!("files/prometheus.yml").replace("KUBECONFIG", &kubeconfig.display().to_string());
    let text = text.replace("RULES", &dir.join(RULES).display().to_string());
    fs::write(&config, text).context("writing prometheus.yml")?;
    let probe: Probe = Arc::new(|| Box::pin(http::is_ok(PROMETHEUS, "/-/ready")));
    Ok(Part::new("prometheus", dir, parts.join("prometheus"), probe).args([
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", dir.join("prometheus").display()),
        format!("--web.listen-address={PROMETHEUS}"),
        // `Scripted::reset` needs it to delete series.
        "--web.enable-admin-api".to_owned(),
        // for `rules`
        "--web.enable-lifecycle".to_owned(),
        "--log.level=warn".to_owned(),
    ]))
}

/// The values of an instant query, one per series.
pub(super) async fn query(promql: &str) -> anyhow::Result<Vec<f64>> {
    let reply = http::post_form(PROMETHEUS, "/api/v1/query", &[("query", promql)]).await?;
    let answer: Value = serde_json::from_slice(&reply.body).context("reading Prometheus's answer")?;
    let data = &answer["data"];
    let number = |sample: &Value| {
        sample[1].as_str().and_then(|text| text.parse().ok()).context("a sample without a number")
    };
    match data["resultType"].as_str() {
        Some("scalar") => Ok(vec![number(&data["result"])?]),
        Some("vector") => {
            let series = data["result"].as_array().map(Vec::as_slice).unwrap_or_default();
            series.iter().map(|one| number(&one["value"])).collect()
        }
        _ => bail!("`{promql}`: Prometheus answered {}: {}", reply.status, reply.text()),
    }
}

/// From now on, evaluates these groups of rules every second, and no others.
pub(super) async fn load_rules(dir: &Path, groups: &Value) -> anyhow::Result<()> {
    fs::write(dir.join(RULES), groups.to_string()).context("writing rules")?;
    let reply = http::post_form(PROMETHEUS, "/-/reload", &[]).await?;
    if reply.status != 200 {
        bail!("loading rules: Prometheus answered {}: {}", reply.status, reply.text());
    }
    Ok(())
}

/// Deletes the stored samples of the matching series.
pub(super) async fn delete_series(selectors: &[String]) -> anyhow::Result<()> {
    let form: Vec<(&str, &str)> = selectors.iter().map(|selector| ("match[]", selector.as_str())).collect();
    let reply = http::post_form(PROMETHEUS, "/api/v1/admin/tsdb/delete_series", &form).await?;
    if reply.status != 204 {
        bail!("deleting series: Prometheus answered {}: {}", reply.status, reply.text());
    }
    Ok(())
}
