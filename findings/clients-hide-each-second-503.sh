#!/usr/bin/env bash
# got 14.6.6, ky 1.14.3 and ofetch 1.5.1 (JavaScript), Apache HttpClient 5.5.1 (Java), against axios 1.21.1, fetch of Node
# 20 and HttpClient of Java 17.
#
# Guess: a client that is asked for one GET, and was told nothing of retries, hands on the 503 it gets.
#
# Really: got, ky and ofetch ask again after a 503, and so does Apache HttpClient; of a server that answers each second
# request with 503 they never show a failure. It gets twice the requests. axios, fetch and Java's own client show each.
#
# Matters: a smoke test, a gate or a load script written with one of them passes a canary that fails half of its requests,
# and one that fails a tenth looks like one that fails a hundredth. Switch retries off (retry: 0,
# disableAutomaticRetries()), or judge by the proxy.
#
# Seen, of ten calls: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node got@14.6.6 ky@1.14.3 ofetch@1.5.1 axios@1.21.1 <<'JS'
import http from "node:http";
import axios from "axios";
import got from "got";
import ky from "ky";
import { ofetch } from "ofetch";

let requests = 0;
const server = http.createServer((request, response) => {
  response.statusCode = ++requests % 2 ? 503 : 200;
  response.end("{}");
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}/`;
const clients = {
  got: () => got(address),
  ky: () => ky(address),
  ofetch: () => ofetch(address),
  axios: () => axios.get(address),
  fetch: async () => {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(answer.status);
  },
};
for (const [name, call] of Object.entries(clients)) {
  requests = 0;
  let failed = 0;
  for (let i = 0; i < 10; i++) await call().catch(() => failed++);
  console.log(`${name}: failed ${failed}, requests ${requests}`);
}
process.exit(0);
JS
with_java org.apache.httpcomponents.client5:httpclient5:5.5.1 <<'JAVA'
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.HttpClients;

public class Main {
    public static void main(String[] arguments) throws Exception {
        var requests = new AtomicInteger();
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(requests.incrementAndGet() % 2 == 1 ? 503 : 200, -1);
            exchange.close();
        });
        server.start();
        var address = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
        var apache = HttpClients.createDefault();
        var java = HttpClient.newHttpClient();
        Map<String, Callable<Integer>> clients = new LinkedHashMap<>();
        clients.put("Apache HttpClient", () -> apache.execute(new HttpGet(address), answer -> answer.getCode()));
        clients.put("HttpClient of Java", () -> java.send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.discarding()).statusCode());
        for (var client : clients.entrySet()) {
            requests.set(0);
            var failed = 0;
            for (var i = 0; i < 10; i++) {
                failed += client.getValue().call() == 503 ? 1 : 0;
            }
            System.out.println(client.getKey() + ": failed " + failed + ", requests " + requests);
        }
        System.exit(0);
    }
}
JAVA
expect <<'END'
got: failed 0, requests 20
ky: failed 0, requests 20
ofetch: failed 0, requests 20
axios: failed 5, requests 10
fetch: failed 5, requests 10
Apache HttpClient: failed 0, requests 20
HttpClient of Java: failed 5, requests 10
END
