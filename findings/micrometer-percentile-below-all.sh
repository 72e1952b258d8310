#!/usr/bin/env bash
# io.micrometer:micrometer-registry-prometheus 1.15.4 (Java; Spring Boot).
#
# Guess: the 99th percentile that a Timer publishes of one request of 300 ms is 300 ms, or a little more.
#
# Really: it is 285 ms: percentiles are computed with one significant digit unless percentilePrecision() is set, and
# the bucket's other end is given. All percentiles lie below every request that was made.
#
# Matters: a threshold of 290 ms on `..._seconds{quantile="0.99"}` passes a canary that never answers below 300.
# Publish a histogram, or raise the precision.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.micrometer:micrometer-registry-prometheus:1.15.4 <<'JAVA'
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;

public class Main {
    public static void main(String[] args) {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Timer.builder("usual").publishPercentiles(0.5, 0.99).register(registry).record(Duration.ofMillis(300));
        Timer.builder("precise").publishPercentiles(0.5, 0.99).percentilePrecision(3).register(registry).record(Duration.ofMillis(300));
        registry.scrape().lines().filter(line -> line.contains("quantile")).sorted().forEach(System.out::println);
    }
}
JAVA
expect <<'END'
precise_seconds{quantile="0.5"} 0.299892736
precise_seconds{quantile="0.99"} 0.299892736
usual_seconds{quantile="0.5"} 0.285212672
usual_seconds{quantile="0.99"} 0.285212672
END
