#!/usr/bin/env bash
# io.micrometer:micrometer-registry-prometheus 1.15.4 (Java; Spring Boot).
#
# Guess: counter("requests", "result", "error", "code", "500") beside counter("requests", "result", "ok") gives two
# series, or an exception.
#
# Really: the first set of tag keys wins. Counts under any other set are dropped, with one warning in the log for the
# whole process.
#
# Matters: code that adds a tag for failures only has no failures in Prometheus: the success rate of a canary is 100
# %, or, where a failure came first, 0 requests succeed. Give all calls the same tags, with "none" for what does not
# apply.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.micrometer:micrometer-registry-prometheus:1.15.4 <<'JAVA'
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

public class Main {
    public static void main(String[] args) {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        registry.counter("requests", "result", "ok").increment();
        for (int i = 0; i < 9; i++) {
            registry.counter("requests", "result", "error", "code", "500").increment();
        }
        registry.scrape().lines().filter(line -> line.startsWith("requests")).forEach(System.out::println);
    }
}
JAVA
expect <<'END'
requests_total{result="ok"} 1.0
END
