#!/usr/bin/env bash
# fabric8 kubernetes-client 7.9.0 (Java).
#
# Guess: as with client-go, a Lease is free when it has not changed for its duration, by the own clock of the one who waits.
#
# Really: renewTime, which the holder wrote by its clock, is compared with the own clock. Where the holder's is 20 s behind,
# a Lease of 15 s that is renewed at each look is taken at the first one, and both lead until the holder notices.
#
# Matters: an operator in Java with two replicas on nodes whose clocks differ by more than the duration acts twice: it
# starts, patches or aborts Canaries from both. The holder and the other take the Lease from each other for as long as the
# clocks differ. Take a duration well above the skew of the nodes.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.fabric8:kubernetes-client:7.9.0 org.slf4j:slf4j-nop:2.0.17 <<'JAVA'
import com.sun.net.httpserver.HttpServer;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

public class Main {
    static final DateTimeFormatter MICROS = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'");

    /** An API server with one Lease, whose holder has just renewed it by a clock that is behind. */
    static HttpServer server(int behind) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        int[] version = {0};
        server.createContext("/", exchange -> {
            byte[] sent = exchange.getRequestBody().readAllBytes();
            String now = ZonedDateTime.now(ZoneOffset.UTC).minusSeconds(behind).format(MICROS);
            String lease = """
                {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                 "metadata": {"name": "operator", "namespace": "test", "resourceVersion": "%d"},
                 "spec": {"holderIdentity": "first", "leaseDurationSeconds": 15, "leaseTransitions": 0,
                          "acquireTime": "%s", "renewTime": "%s"}}""".formatted(++version[0], now, now);
            byte[] body = exchange.getRequestMethod().equals("GET") ? lease.getBytes() : sent;
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        return server;
    }

    public static void main(String[] args) throws Exception {
        for (int behind : new int[] {0, 20}) {
            HttpServer server = server(behind);
            Config config = new ConfigBuilder(Config.empty()).withMasterUrl("http://127.0.0.1:" + server.getAddress().getPort()).build();
            try (KubernetesClient client = new KubernetesClientBuilder().withConfig(config).build()) {
                CompletableFuture<Boolean> leads = new CompletableFuture<>();
                var election = new LeaderElectionConfigBuilder().withName("operator").withLock(new LeaseLock("test", "operator", "second"))
                    .withLeaseDuration(Duration.ofSeconds(15)).withRenewDeadline(Duration.ofSeconds(10)).withRetryPeriod(Duration.ofSeconds(1))
                    .withLeaderCallbacks(new LeaderCallbacks(() -> leads.complete(true), () -> {}, who -> {})).build();
                CompletableFuture<?> run = client.leaderElector().withConfig(election).build().start();
                leads.completeOnTimeout(false, 10, TimeUnit.SECONDS);
                System.out.println("holder's clock " + behind + " s behind: the second leads " + leads.get());
                run.cancel(true);
            }
            server.stop(0);
        }
        System.exit(0);
    }
}
JAVA
expect <<'END'
holder's clock 0 s behind: the second leads false
holder's clock 20 s behind: the second leads true
END
