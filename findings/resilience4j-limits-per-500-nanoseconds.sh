#!/usr/bin/env bash
# resilience4j-ratelimiter 2.3.0 (Java).
#
# Guess: RateLimiter with limitForPeriod(10) lets ten calls through in a second, and refuses the eleventh.
#
# Really: the period is 500 nanoseconds unless limitRefreshPeriod says otherwise: 20 million calls a second, no limit at
# all. With a period of a second the eleventh call is not refused either: it waits for up to five seconds, in its thread,
# unless timeoutDuration is 0.
#
# Matters: a limit that is to spare the primary, or a backend that both versions share, does nothing while the canary
# retries. Once it works, its waits are part of the durations of the canary. Give all three.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.github.resilience4j:resilience4j-ratelimiter:2.3.0 org.slf4j:slf4j-nop:2.0.17 <<'JAVA'
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;

public class Main {
  static int passed(RateLimiterConfig.Builder config, int calls) {
    RateLimiter limiter = RateLimiter.of("limiter", config.build());
    int passed = 0;
    for (int call = 0; call < calls; call++) {
      if (limiter.acquirePermission()) passed++;
    }
    return passed;
  }

  static RateLimiterConfig.Builder ten() {
    return RateLimiterConfig.custom().limitForPeriod(10);
  }

  public static void main(String[] arguments) {
    System.out.println("period " + ten().build().getLimitRefreshPeriod() + ", time-out " + ten().build().getTimeoutDuration());
    System.out.println("limit 10: " + passed(ten(), 1000) + " of 1000 calls");
    long begin = System.nanoTime();
    int waited = passed(ten().limitRefreshPeriod(Duration.ofSeconds(1)), 25);
    System.out.println("limit 10 for a second: " + waited + " of 25 calls, in " + Math.round((System.nanoTime() - begin) / 1e9) + " s");
    int refused = passed(ten().limitRefreshPeriod(Duration.ofMinutes(1)).timeoutDuration(Duration.ZERO), 25);
    System.out.println("limit 10 for a minute, time-out 0: " + refused + " of 25 calls");
  }
}
JAVA
expect <<'END'
period PT0.0000005S, time-out PT5S
limit 10: 1000 of 1000 calls
limit 10 for a second: 25 of 25 calls, in 2 s
limit 10 for a minute, time-out 0: 10 of 25 calls
END
