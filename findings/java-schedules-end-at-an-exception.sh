#!/usr/bin/env bash
# ScheduledExecutorService of Java 17, against spring-context 7.0.10.
#
# Guess: a task of scheduleAtFixedRate that throws once is logged and runs again at its next time, or ends the program.
#
# Really: it never runs again. Nothing is logged, the executor goes on, and its other tasks with it; the exception is told
# to who asks the future that nobody keeps. Spring's ThreadPoolTaskScheduler logs and goes on.
#
# Matters: an operator or a bot that looks at Canaries each ten seconds stops at the first answer 503, with its Pod ready
# and its health check green: gates stay closed and alerts are not sent until somebody restarts it. Catch all inside the
# task.
#
# Seen, runs of a task each 20 ms whose third run throws: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java org.springframework:spring-context:7.0.10 <<'JAVA'
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;

public class Main {
    static Runnable failing(AtomicInteger runs) {
        return () -> {
            if (runs.incrementAndGet() == 3) {
                throw new IllegalStateException("503");
            }
        };
    }

    public static void main(String[] arguments) throws Exception {
        var plain = new AtomicInteger();
        var beside = new AtomicInteger();
        var spring = new AtomicInteger();
        var executor = Executors.newScheduledThreadPool(1);
        var future = executor.scheduleAtFixedRate(failing(plain), 0, 20, TimeUnit.MILLISECONDS);
        executor.scheduleAtFixedRate(beside::incrementAndGet, 0, 20, TimeUnit.MILLISECONDS);
        var scheduler = new ThreadPoolTaskScheduler();
        scheduler.initialize();
        scheduler.scheduleAtFixedRate(failing(spring), Duration.ofMillis(20));
        while (beside.get() < 50 || spring.get() < 50) {
            Thread.sleep(20);
        }
        System.out.println("ScheduledExecutorService: runs " + plain.get() + ", done " + future.isDone() + ", executor ended " + executor.isShutdown());
        System.out.println("the task beside it: at least 50 runs " + (beside.get() >= 50));
        System.out.println("ThreadPoolTaskScheduler: at least 50 runs " + (spring.get() >= 50));
        System.exit(0);
    }
}
JAVA
expect <<'END'
ScheduledExecutorService: runs 3, done true, executor ended false
the task beside it: at least 50 runs true
ThreadPoolTaskScheduler: at least 50 runs true
END
