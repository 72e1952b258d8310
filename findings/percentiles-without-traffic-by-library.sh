#!/usr/bin/env bash
# Micrometer 1.17.2, Dropwizard Metrics 4.2.40 (Java).
#
# Guess: what a timer says of its p99 and its maximum when no request has come for an hour is NaN or nothing, in each
# library.
#
# Really: Micrometer says 0 for both as soon as its window of some minutes is over, and Dropwizard goes on to say what it
# was in the last minutes with traffic, for ever: its sample decays against newer values only.
#
# Matters: a canary without traffic passes "p99 below 500 ms" behind Micrometer, and is judged behind Dropwizard by what was
# measured before: a version that started slowly never recovers, and a good value hides that nobody asks any more. Add a
# check that requests come, or use buckets and rate().
#
# Seen, after 100 requests of two seconds and then none: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.micrometer:micrometer-registry-prometheus:1.17.2 io.dropwizard.metrics:metrics-core:4.2.40 <<'JAVA'
import io.micrometer.core.instrument.Clock;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

public class Main {
    static final AtomicLong now = new AtomicLong(TimeUnit.DAYS.toNanos(1));

    public static void main(String[] arguments) {
        var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, new PrometheusRegistry(), new Clock() {
            public long wallTime() {
                return TimeUnit.NANOSECONDS.toMillis(now.get());
            }

            public long monotonicTime() {
                return now.get();
            }
        });
        var timer = io.micrometer.core.instrument.Timer.builder("requests").publishPercentiles(0.99).register(registry);
        var clock = new com.codahale.metrics.Clock() {
            public long getTick() {
                return now.get();
            }

            public long getTime() {
                return TimeUnit.NANOSECONDS.toMillis(now.get());
            }
        };
        var other = new com.codahale.metrics.Timer(new com.codahale.metrics.ExponentiallyDecayingReservoir(1028, 0.015, clock), clock);
        for (var i = 0; i < 100; i++) {
            timer.record(2, TimeUnit.SECONDS);
            other.update(2, TimeUnit.SECONDS);
        }
        for (var minutes : new int[] {0, 1, 10, 600}) {
            now.addAndGet(TimeUnit.MINUTES.toNanos(minutes));
            System.out.println("after " + minutes + " minutes more:");
            registry.scrape().lines().filter(line -> line.contains("quantile") || line.startsWith("requests_seconds_max")).sorted()
                .forEach(line -> System.out.println("  Micrometer " + line.replaceAll(" 1\\.99\\d+", " about 2")));
            System.out.println("  Dropwizard p99 " + other.getSnapshot().get99thPercentile() / 1e9 + ", rate of a minute "
                + Math.round(other.getOneMinuteRate()));
        }
    }
}
JAVA
expect <<'END'
after 0 minutes more:
  Micrometer requests_seconds_max 2.0
  Micrometer requests_seconds{quantile="0.99"} 1.946157056
  Dropwizard p99 2.0, rate of a minute 0
after 1 minutes more:
  Micrometer requests_seconds_max 2.0
  Micrometer requests_seconds{quantile="0.99"} 0.0
  Dropwizard p99 2.0, rate of a minute 8
after 10 minutes more:
  Micrometer requests_seconds_max 0.0
  Micrometer requests_seconds{quantile="0.99"} 0.0
  Dropwizard p99 2.0, rate of a minute 0
after 600 minutes more:
  Micrometer requests_seconds_max 0.0
  Micrometer requests_seconds{quantile="0.99"} 0.0
  Dropwizard p99 2.0, rate of a minute 0
END
