//! A Prometheus that scrapes seldom and looks back for less time than the scrape interval, so that most instant queries
//! for a plain series find nothing. Runs next to a bed. Started by the stories that need it.

use std::{fs, sync::Arc};

use anyhow::Context;

use crate::{
    Bed,
    addresses::SPARSE_PROMETHEUS,
    http,
    part::{Part, Probe, parts_dir},
};

/// Runs until it is dropped.
pub struct SparsePrometheus {
    _part: Part,
}

impl SparsePrometheus {
    /// Scrapes the targets of the bed's own Prometheus every 4 s instead of every second, and looks back for 2 s.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn start(bed: &Bed) -> anyhow::Result<Self> {
        let text = fs::read_to_string(bed.dir().join("prometheus.yml")).context("the bed's own settings")?;
        let text = text.replace("scrape_interval: 1s", "scrape_interval: 4s");
        let config = bed.dir().join("sparse-prometheus.yml");
        fs::write(&config, text).context("writing sparse-prometheus.yml")?;
        let probe: Probe = Arc::new(|| Box::pin(http::is_ok(SPARSE_PROMETHEUS, "/-/ready")));
        let program = parts_dir()?.join("prometheus");
        let part = Part::new("sparse-prometheus", bed.dir(), program, probe).args([
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", bed.dir().join("sparse-prometheus").display()),
            format!("--web.listen-address={SPARSE_PROMETHEUS}"),
            "--query.lookback-delta=2s".to_owned(),
            "--log.level=warn".to_owned(),
        ]);
        part.start().await?;
        Ok(Self { _part: part })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{SPARSE_PROMETHEUS}")
    }
}
