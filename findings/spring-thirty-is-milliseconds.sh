#!/usr/bin/env bash
# Spring Boot 4.0.7, Typesafe Config 1.4.3, Micronaut 4.10.15 (Java).
#
# Guess: a time-out of `30` in the settings is 30 seconds, as in gunicorn, nginx or Kubernetes, or refused for want of a
# unit.
#
# Really: it is 30 milliseconds for Spring Boot and for Typesafe Config (Akka, Play), and nothing for Micronaut. 1m30s,
# which Go reads, is refused by both and nothing for Micronaut; 1M is a minute for Spring Boot.
#
# Matters: `spring.lifecycle.timeout-per-shutdown-phase: 30` gives the requests under way 30 ms when a pod is replaced, so
# that each promotion loses requests after the analysis; a client's time-out of `30` fails a canary at once, which is
# kinder. Write 30s.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java org.springframework.boot:spring-boot:4.0.7 com.typesafe:config:1.4.3 io.micronaut:micronaut-context:4.10.15 <<'JAVA'
import com.typesafe.config.ConfigFactory;
import io.micronaut.context.ApplicationContext;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.springframework.boot.convert.DurationStyle;

public class Main {
    public static void main(String[] arguments) {
        var micronaut = ApplicationContext.run().getConversionService();
        Map<String, Function<String, Duration>> readers = new LinkedHashMap<>();
        readers.put("Spring Boot", DurationStyle::detectAndParse);
        readers.put("Typesafe", text -> ConfigFactory.parseMap(Map.of("timeout", text)).getDuration("timeout"));
        readers.put("Micronaut", text -> micronaut.convert(text, Duration.class).orElse(null));
        for (var text : new String[] {"30", "30s", "1.5h", "1m30s", "1M"}) {
            var line = new StringBuilder(text);
            readers.forEach((name, reader) -> {
                String read;
                try {
                    var duration = reader.apply(text);
                    read = duration == null ? "nothing" : duration.toMillis() + " ms";
                } catch (RuntimeException refused) {
                    read = "refused";
                }
                line.append(" | ").append(name).append(": ").append(read);
            });
            System.out.println(line);
        }
        System.exit(0);
    }
}
JAVA
expect <<'END'
30 | Spring Boot: 30 ms | Typesafe: 30 ms | Micronaut: nothing
30s | Spring Boot: 30000 ms | Typesafe: 30000 ms | Micronaut: 30000 ms
1.5h | Spring Boot: refused | Typesafe: 5400000 ms | Micronaut: nothing
1m30s | Spring Boot: refused | Typesafe: refused | Micronaut: nothing
1M | Spring Boot: 60000 ms | Typesafe: refused | Micronaut: nothing
END
