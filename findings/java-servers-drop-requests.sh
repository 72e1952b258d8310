#!/usr/bin/env bash
# Javalin 7.2.3, Undertow 2.4.4, Vert.x 5.0.7, against Jetty 12.1.14, Tomcat 11.0.27, Reactor Netty 1.3.7 and the server of
# Java 17.
#
# Guess: a server that is stopped finishes the requests under way, as a shutdown hook or a framework calls stop() for
# SIGTERM.
#
# Really: Javalin, Undertow and Vert.x break them off. Vert.x finishes them with shutdown() in place of close(). Tomcat
# does, and Jetty, Reactor Netty and Java's own server, each given ten seconds.
#
# Matters: each pod that a promotion or a rollback replaces drops what it is at, after the analysis, so that no check sees
# it. Give Javalin's Jetty a stop time-out (config.jetty.modifyServer), wrap Undertow's handler in a GracefulShutdownHandler
# and wait for it, and call shutdown() of Vert.x.
#
# Seen, for a request of two seconds: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.javalin:javalin:7.2.3 io.undertow:undertow-core:2.4.4.Final io.vertx:vertx-core:5.0.7 \
  io.projectreactor.netty:reactor-netty-http:1.3.7 org.apache.tomcat.embed:tomcat-embed-core:11.0.27 <<'JAVA'
import com.sun.net.httpserver.HttpServer;
import io.javalin.Javalin;
import io.undertow.Undertow;
import io.undertow.server.handlers.BlockingHandler;
import io.vertx.core.Vertx;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.catalina.startup.Tomcat;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.util.Callback;
import reactor.core.publisher.Mono;

public class Main {
    interface Action {
        void run() throws Exception;
    }

    record Started(int port, Action stop) {
    }

    interface Kind {
        Started start() throws Exception;
    }

    static volatile CountDownLatch underWay;

    static void work() {
        underWay.countDown();
        try {
            Thread.sleep(2000);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    static final InetSocketAddress ANY = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    static io.vertx.core.http.HttpServer vertx() throws Exception {
        var vertx = Vertx.vertx();
        return vertx.createHttpServer().requestHandler(request -> {
            underWay.countDown();
            vertx.setTimer(2000, timer -> request.response().end("fine"));
        }).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().get();
    }

    public static void main(String[] arguments) throws Exception {
        var kinds = new LinkedHashMap<String, Kind>();
        kinds.put("Java stop(10)", () -> {
            var server = HttpServer.create(ANY, 0);
            server.setExecutor(Executors.newCachedThreadPool());
            server.createContext("/", exchange -> {
                work();
                exchange.sendResponseHeaders(200, 4);
                exchange.getResponseBody().write("fine".getBytes());
                exchange.close();
            });
            server.start();
            return new Started(server.getAddress().getPort(), () -> server.stop(10));
        });
        kinds.put("Jetty stop()", () -> {
            var server = new Server(ANY);
            server.setStopTimeout(10000);
            server.setHandler(new Handler.Abstract() {
                public boolean handle(Request request, Response response, Callback callback) {
                    work();
                    response.write(true, ByteBuffer.wrap("fine".getBytes()), callback);
                    return true;
                }
            });
            server.start();
            return new Started(server.getURI().getPort(), server::stop);
        });
        kinds.put("Tomcat stop()", () -> {
            var tomcat = new Tomcat();
            tomcat.setBaseDir(Files.createTempDirectory("tomcat").toString());
            tomcat.setPort(0);
            var context = tomcat.addContext("", null);
            Tomcat.addServlet(context, "work", new HttpServlet() {
                protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
                    work();
                    response.getWriter().print("fine");
                }
            });
            context.addServletMappingDecoded("/", "work");
            tomcat.getConnector();
            tomcat.start();
            return new Started(tomcat.getConnector().getLocalPort(), tomcat::stop);
        });
        kinds.put("Reactor Netty disposeNow(10 s)", () -> {
            var server = reactor.netty.http.server.HttpServer.create().bindAddress(() -> ANY).handle((request, response) -> {
                underWay.countDown();
                return response.sendString(Mono.just("fine").delayElement(Duration.ofSeconds(2)));
            }).bindNow();
            return new Started(server.port(), () -> server.disposeNow(Duration.ofSeconds(10)));
        });
        kinds.put("Javalin stop()", () -> {
            var server = Javalin.create(config -> {
                config.startup.showJavalinBanner = false;
                config.routes.get("/", context -> {
                    work();
                    context.result("fine");
                });
            }).start("127.0.0.1", 0);
            return new Started(server.port(), server::stop);
        });
        kinds.put("Undertow stop()", () -> {
            var server = Undertow.builder().addHttpListener(0, "127.0.0.1").setHandler(new BlockingHandler(exchange -> {
                work();
                exchange.getResponseSender().send("fine");
            })).build();
            server.start();
            return new Started(((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort(), server::stop);
        });
        kinds.put("Vert.x close()", () -> {
            var server = vertx();
            return new Started(server.actualPort(), () -> server.close().toCompletionStage().toCompletableFuture().get());
        });
        kinds.put("Vert.x shutdown(10 s)", () -> {
            var server = vertx();
            return new Started(server.actualPort(), () -> server.shutdown(10, TimeUnit.SECONDS).toCompletionStage().toCompletableFuture().get());
        });
        for (var kind : kinds.entrySet()) {
            underWay = new CountDownLatch(1);
            var server = kind.getValue().start();
            try (var connection = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                connection.getOutputStream().write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".getBytes());
                underWay.await();
                server.stop().run();
                String answer;
                try {
                    answer = new String(connection.getInputStream().readAllBytes());
                } catch (IOException broken) {
                    answer = "";
                }
                System.out.println(kind.getKey() + ": " + (answer.contains(" 200 ") && answer.contains("fine") ? "answered" : answer.isEmpty() ? "broken off" : answer.lines().findFirst().get()));
            }
        }
        System.exit(0);
    }
}
JAVA
expect <<'END'
Java stop(10): answered
Jetty stop(): answered
Tomcat stop(): answered
Reactor Netty disposeNow(10 s): answered
Javalin stop(): broken off
Undertow stop(): broken off
Vert.x close(): broken off
Vert.x shutdown(10 s): answered
END
