#!/usr/bin/env bash
# metrics-exporter-prometheus 0.18.3 with metrics 0.24 (Rust).
#
# Guess: histogram!("...") is exposed as a histogram, with _bucket series.
#
# Really: unless the program sets buckets, it is a summary: quantiles that the process computed, and no buckets at
# all. A counter does not get _total either.
#
# Matters: histogram_quantile() over pods finds nothing, and quantiles of several pods cannot be put together; such a
# metric cannot judge a canary. Call PrometheusBuilder::set_buckets.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo metrics@0.24 metrics-exporter-prometheus@=0.18.3 --no-default-features <<'RUST'
fn main() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        metrics::histogram!("request_duration_seconds").record(0.3);
        metrics::counter!("requests").increment(1);
    });
    let text = recorder.handle().render();
    println!("{}", text.lines().filter(|line| line.starts_with("# TYPE")).collect::<Vec<_>>().join("\n"));
    println!("buckets: {}", text.contains("_bucket"));
}
RUST
expect <<'END'
# TYPE requests counter
# TYPE request_duration_seconds summary
buckets: false
END
