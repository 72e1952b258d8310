#!/usr/bin/env bash
# io.github.openfeign:feign-core 13.6 (Java 17).
#
# Guess: Feign makes one call, or tries again what is safe: a GET whose connection was broken off, five times as its
# Retryer says. A POST is made once.
#
# Really: a GET whose connection is broken off is made ten times, since the client of Java below it repeats each of the
# five tries once itself. A POST is made five times. An answer with Retry-After, 429 as well as 503, is tried five times,
# a POST too; one without it once.
#
# Matters: a pod of a canary that dies under one kind of request gets it ten times, and takes one pod after the other with
# it; an order is placed five times. And a backend that adds Retry-After to its 503 to be spared gets five times the load.
# Set Retryer.NEVER_RETRY, and leave retries to the proxy.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.github.openfeign:feign-core:13.6 <<'JAVA'
import com.sun.net.httpserver.HttpServer;
import feign.Feign;
import feign.Param;
import feign.RequestLine;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

class Main {
  interface Shop {
    @RequestLine("GET /{path}")
    String get(@Param("path") String path);

    @RequestLine("POST /{path}")
    String post(@Param("path") String path, String body);
  }

  public static void main(String[] args) throws Exception {
    var count = new AtomicInteger();
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", exchange -> {
      count.incrementAndGet();
      exchange.getRequestBody().readAllBytes();
      String path = exchange.getRequestURI().getPath().substring(1);
      if (!path.equals("broken")) {
        if (path.endsWith("-later")) exchange.getResponseHeaders().add("Retry-After", "0");
        exchange.sendResponseHeaders(Integer.parseInt(path.substring(0, 3)), -1);
      }
      exchange.close();
    });
    server.start();
    Shop shop = Feign.builder().target(Shop.class, "http://127.0.0.1:" + server.getAddress().getPort());
    for (String path : new String[] {"broken", "503", "503-later", "429-later"}) {
      for (boolean get : new boolean[] {true, false}) {
        count.set(0);
        try {
          if (get) shop.get(path);
          else shop.post(path, "order");
        } catch (RuntimeException expected) {
          // all of them fail
        }
        System.out.println((get ? "GET " : "POST ") + path + ": " + count.get());
      }
    }
    System.exit(0);
  }
}
JAVA
expect <<'END'
GET broken: 10
POST broken: 5
GET 503: 1
POST 503: 1
GET 503-later: 5
POST 503-later: 5
GET 429-later: 5
POST 429-later: 5
END
