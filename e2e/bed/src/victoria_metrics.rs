//! VictoriaMetrics with its default settings, next to a bed. Started by the stories that need it. It scrapes the
//! targets of the bed's Prometheus.

use std::sync::Arc;

use anyhow::bail;

use crate::{
    Bed,
    addresses::VICTORIA_METRICS,
    http,
    part::{Part, Probe, parts_dir},
};

/// A running single-node VictoriaMetrics. Dropping it stops it.
pub struct VictoriaMetrics {
    _part: Part,
}

impl VictoriaMetrics {
    /// Starts an instance with an empty store.
    ///
    /// # Errors
    /// It is not built, or does not answer.
    pub async fn start(bed: &Bed) -> anyhow::Result<Self> {
        let program = parts_dir()?.join("victoria-metrics");
        if !program.exists() {
            bail!("VictoriaMetrics is not built: run `e2e/parts/build.sh nightly` once");
        }
        let probe: Probe = Arc::new(|| Box::pin(http::is_ok(VICTORIA_METRICS, "/health")));
        let part = Part::new("victoria-metrics", bed.dir(), program, probe).args([
            format!("-httpListenAddr={VICTORIA_METRICS}"),
            format!("-storageDataPath={}", bed.dir().join("victoria-metrics").display()),
            format!("-promscrape.config={}", bed.dir().join("prometheus.yml").display()),
            // it does not evaluate rules, and would reject them
            "-promscrape.config.strictParse=false".to_owned(),
        ]);
        part.start().await?;
        Ok(Self { _part: part })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{VICTORIA_METRICS}")
    }
}
