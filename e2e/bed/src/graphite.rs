//! Graphite's own web application, next to a bed. Started by the stories that need it.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
    time::sleep,
};

use crate::http;
use crate::{
    Bed,
    addresses::{GRAPHITE, GRAPHITE_RECEIVER},
    part::{Part, Probe, parts_dir},
};

/// A running Graphite. Dropping it stops it.
pub struct Graphite {
    _part: Part,
    /// Stops with this struct.
    feeding: JoinSet<()>,
}

impl Graphite {
    /// Starts an instance with an empty store.
    ///
    /// # Errors
    /// It is not installed, or does not answer.
    pub async fn start(bed: &Bed) -> anyhow::Result<Self> {
        let packages = parts_dir()?.join("graphite");
        if !packages.exists() {
            bail!("Graphite is not installed: run `make parts` once");
        }
        let probe: Probe = Arc::new(|| Box::pin(http::is_ok(GRAPHITE, "/render?target=none&format=json")));
        let part = Part::new("graphite", bed.dir(), "python3".into(), probe)
            .env([("PYTHONPATH".to_owned(), packages.display().to_string())])
            .args([
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("../parts/graphite/serve.py")
                    .display()
                    .to_string(),
                GRAPHITE.to_string(),
                GRAPHITE_RECEIVER.port().to_string(),
                bed.dir().join("graphite").display().to_string(),
            ]);
        part.start().await?;
        Ok(Self { _part: part, feeding: JoinSet::new() })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{GRAPHITE}")
    }

    /// From now on, the series has this value every second instead of its former value. The first value is stored when
    /// this returns.
    ///
    /// # Errors
    /// The value was not accepted.
    pub async fn feed(&mut self, series: &'static str, value: f64) -> anyhow::Result<()> {
        self.feeding.shutdown().await;
        store(GRAPHITE_RECEIVER, series, value).await?;
        self.feeding.spawn(async move {
            loop {
                sleep(Duration::from_secs(1)).await;
                // if one value is lost, the next one follows
                store(GRAPHITE_RECEIVER, series, value).await.ok();
            }
        });
        Ok(())
    }
}

/// Stores a value for the current time, as carbon would.
async fn store(at: SocketAddr, series: &str, value: f64) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(at).await.context("connecting to Graphite's receiver")?;
    let line = format!("{series} {value} {}\n", Timestamp::now().as_second());
    stream.write_all(line.as_bytes()).await.context("storing a value")?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await.context("storing a value")?;
    ensure!(answer == "ok\n", "Graphite has not stored {line:?}");
    Ok(())
}
