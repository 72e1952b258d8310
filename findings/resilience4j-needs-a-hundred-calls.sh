#!/usr/bin/env bash
# resilience4j-circuitbreaker 2.3.0 (Java).
#
# Guess: a breaker with a window of 10 opens when the window is full of failures, whether it is counted in calls or seconds.
#
# Really: of 10 calls it is, after 10. Of 10 seconds it looks at the rate from the hundredth call on: minimumNumberOfCalls
# is 100, and only a window of calls brings it down to its size.
#
# Matters: with a window of time the primary, with 50 requests a second, is shielded from a backend that hangs, and the
# canary, with 5, never is: it holds a thread for each and is the worse of the two for that alone. Set
# minimumNumberOfCalls.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.github.resilience4j:resilience4j-circuitbreaker:2.3.0 org.slf4j:slf4j-nop:2.0.17 <<'JAVA'
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.util.concurrent.TimeUnit;

public class Main {
    public static void main(String[] args) {
        for (SlidingWindowType type : SlidingWindowType.values()) {
            var config = CircuitBreakerConfig.custom().slidingWindowType(type).slidingWindowSize(10).build();
            CircuitBreaker breaker = CircuitBreaker.of("backend", config);
            int failures = 0;
            while (breaker.tryAcquirePermission()) {
                breaker.onError(0, TimeUnit.NANOSECONDS, new RuntimeException("503"));
                failures++;
            }
            System.out.println(type + ", 10: open after " + failures + " failures of " + failures + " calls");
        }
    }
}
JAVA
expect <<'END'
TIME_BASED, 10: open after 100 failures of 100 calls
COUNT_BASED, 10: open after 10 failures of 10 calls
END
