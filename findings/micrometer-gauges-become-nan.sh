#!/usr/bin/env bash
# Micrometer 1.17.2 with its registry for Prometheus (Java).
#
# Guess: `registry.gauge("queue", new AtomicInteger(5))` exposes 5 for as long as the process runs: the registry holds what
# it was given.
#
# Really: it holds the object by a weak reference, and gives it back to be kept. After the next garbage collection the gauge
# is NaN, while the page goes on naming it. Gauge.builder(…).strongReference(true) stays.
#
# Matters: a metric of a canary is right for some minutes, and NaN after the first collection, which comes sooner under
# load: a check of it passes at weight 10 and has no data at weight 50. Keep what gauge() returns in a field, or take a
# strong reference.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.micrometer:micrometer-registry-prometheus:1.17.2 <<'JAVA'
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.concurrent.atomic.AtomicInteger;

public class Main {
    static void page(String when, PrometheusMeterRegistry registry) {
        System.out.println(when + ":");
        registry.scrape().lines().filter(line -> !line.startsWith("#")).sorted().forEach(line -> System.out.println("  " + line));
    }

    public static void main(String[] arguments) throws Exception {
        var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        registry.gauge("queue", new AtomicInteger(5));
        var kept = registry.gauge("queue.kept", new AtomicInteger(5));
        Gauge.builder("queue.strong", new AtomicInteger(5), AtomicInteger::get).strongReference(true).register(registry);
        page("at first", registry);
        System.gc();
        Thread.sleep(500);
        System.gc();
        page("after a collection", registry);
        kept.set(6);
    }
}
JAVA
expect <<'END'
at first:
  queue 5.0
  queue_kept 5.0
  queue_strong 5.0
after a collection:
  queue NaN
  queue_kept 5.0
  queue_strong 5.0
END
