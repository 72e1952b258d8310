#!/usr/bin/env bash
# io.fabric8:kubernetes-client 7.9.0 (Java).
#
# Guess: Duration.parse("1.5h") is 90 minutes as in Go, or an error.
#
# Really: it is 5 hours: what stands before the point is skipped. "0" is an error, though Go writes and reads it. And
# what was "1h30m" is written back as "5400000000000ns".
#
# Matters: durations of Kubernetes objects (a Certificate's, a Lease's, a Canary's in a typed model) are read ten
# times too long by Java operators, without an error. Write 90m.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.fabric8:kubernetes-client:7.9.0 <<'JAVA'
import io.fabric8.kubernetes.api.model.Duration;
import io.fabric8.kubernetes.client.utils.Serialization;

public class Main {
    public static void main(String[] args) throws Exception {
        for (String text : new String[] {"1h30m", "1.5h", "0.5s", "0"}) {
            try {
                Duration read = Duration.parse(text);
                System.out.println(text + " -> " + read.getDuration() + ", written " + Serialization.asJson(read));
            } catch (java.text.ParseException e) {
                System.out.println(text + " -> refused");
            }
        }
    }
}
JAVA
expect <<'END'
1h30m -> PT1H30M, written "5400000000000ns"
1.5h -> PT5H, written "18000000000000ns"
0.5s -> PT5S, written "5000000000ns"
0 -> refused
END
