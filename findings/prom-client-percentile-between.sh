#!/usr/bin/env bash
# prom-client 15.1.3 (JavaScript, by tdigest 0.1.3), com.tdunning:t-digest 3.3 (Java), numpy 2.3.5 (Python).
#
# Guess: the 90th percentile of 1, 2, ..., 10 and 1000 is 10: ten of eleven values are not above it.
#
# Really: a Summary of prom-client says 406: its t-digest interpolates to the outlier. Java's, of the same author's
# design, and numpy say 10.
#
# Matters: with little traffic one slow request in eleven lifts p90 to a value that no request had, and a threshold of
# 100 ms rolls the canary back. Use histograms, or ask for more requests before judging.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node prom-client@15.1.3 tdigest@0.1.3 <<'JS'
import client from "prom-client";

const summary = new client.Summary({ name: "duration", help: "h", percentiles: [0.5, 0.9] });
for (const value of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1000]) summary.observe(value);
for (const { labels, value } of (await summary.get()).values) if (labels.quantile) console.log("prom-client", labels.quantile, Math.round(value));
JS
with_java com.tdunning:t-digest:3.3 <<'JAVA'
import com.tdunning.math.stats.TDigest;

public class Main {
    public static void main(String[] args) {
        TDigest digest = TDigest.createMergingDigest(100);
        for (int value = 1; value <= 10; value++) {
            digest.add(value);
        }
        digest.add(1000);
        System.out.println("Java " + digest.quantile(0.5) + " " + digest.quantile(0.9));
    }
}
JAVA
with_python numpy==2.3.5 <<'PY'
import numpy

print("numpy", *(float(numpy.percentile([*range(1, 11), 1000], rank)) for rank in (50, 90)))
PY
expect <<'END'
prom-client 0.5 6
prom-client 0.9 406
Java 6.0 10.0
numpy 6.0 10.0
END
