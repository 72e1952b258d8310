#!/usr/bin/env bash
# io.micrometer:micrometer-registry-prometheus 1.16.8 and 1.17.2 (Maven): up to 1.16 a meter with other tag keys than the
# first one of its name counts into nothing; since 1.17 it is scraped.
#
# Guess: two counters of one name with different tags are two series, as in Prometheus; or the second is refused by an
# exception. In any case a minor version does not change it.
#
# Really: in 1.16 the registration fails with one line in the log (WARN once, then DEBUG). The caller gets a counter that
# works and is in no scrape. Whoever comes first wins. In 1.17 both are there.
#
# Matters: with the usual pattern, a tag `exception` on failures only, a canary on the JVM has a success rate of 100 %
# whatever it does. And a release that raises Micrometer looks worse than its primary, which hides the same failures.
# Give each meter of a name the same tags, with "none" where there is no value.
#
# Seen:
#   1.16.8 orders_total{result="ok"} 9.0
#   1.17.2 orders_total{exception="IOException",result="failed"} 5.0
#   1.17.2 orders_total{result="ok"} 9.0
set -euo pipefail
. "$(dirname "$0")/lib/work.sh"
cd "$work"
cat >Tags.java <<'JAVA'
import io.micrometer.core.instrument.Counter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

class Tags {
    public static void main(String[] version) {
        var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Counter.builder("orders").tag("result", "ok").register(registry).increment(9);
        Counter.builder("orders").tag("result", "failed").tag("exception", "IOException").register(registry).increment(5);
        registry.scrape().lines().filter(line -> line.startsWith("orders"))
            .forEach(line -> System.out.println(version[0] + " " + line));
    }
}
JAVA
for version in 1.16.8 1.17.2; do
  cat >pom.xml <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>findings</groupId><artifactId>tags</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.micrometer</groupId><artifactId>micrometer-registry-prometheus</artifactId><version>$version</version>
    </dependency>
  </dependencies>
</project>
XML
  jars=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies
  mvn -q -B "$jars" -DoutputDirectory="$work/$version" >log || { cat log >&2; exit 1; }
  java -cp "$version/*" Tags.java "$version" 2>log >>seen || { cat log >&2; exit 1; }
done
cat seen
diff seen - <<'TXT'
1.16.8 orders_total{result="ok"} 9.0
1.17.2 orders_total{exception="IOException",result="failed"} 5.0
1.17.2 orders_total{result="ok"} 9.0
TXT
