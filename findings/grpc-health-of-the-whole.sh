#!/usr/bin/env bash
# grpcio-health-checking 1.85.1 (Python) and grpc-go 1.85.0 (Go), against grpc-health-check 2.1.0 with @grpc/grpc-js
# 1.14.7 (JavaScript).
#
# Guess: a probe that names no service, as Kubernetes' `grpc: {port: 8080}` does, follows the services of the server: one
# of them NOT_SERVING, and it fails.
#
# Really: the empty name is a service of its own. Python and Go set it to SERVING at the start, and it stays so whatever
# is set for the others. In JavaScript it is unknown unless it is listed.
#
# Matters: a canary that has lost its database, and says so for shop.Cart, stays ready and gets its share of the users;
# the same service in JavaScript is never ready, and the release fails. Set the empty name along with the others, or give
# `service` to the probe.
#
# Seen, where shop.Cart was set to NOT_SERVING: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python grpcio-health-checking==1.85.1 <<'PY'
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

server, servicer = grpc.server(futures.ThreadPoolExecutor(2)), health.HealthServicer()
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
servicer.set("shop.Cart", health_pb2.HealthCheckResponse.NOT_SERVING)
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    for name in ("", "shop.Cart"):
        status = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=name)).status
        print(f"Python: {name!r} {health_pb2.HealthCheckResponse.ServingStatus.Name(status)}")
server.stop(None).wait()
PY
with_node grpc-health-check@2.1.0 @grpc/grpc-js@1.14.7 <<'JS'
import grpc from "@grpc/grpc-js";
import { HealthImplementation, service } from "grpc-health-check";

const health = new HealthImplementation({ "shop.Cart": "SERVING" });
health.setStatus("shop.Cart", "NOT_SERVING");
const server = new grpc.Server();
health.addToServer(server);
const insecure = grpc.ServerCredentials.createInsecure();
const port = await new Promise((resolve) => server.bindAsync("127.0.0.1:0", insecure, (error, bound) => resolve(bound)));
const Client = grpc.makeGenericClientConstructor(service, "Health");
const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
for (const name of ["", "shop.Cart"]) {
  const seen = await new Promise((resolve) =>
    client.check({ service: name }, (error, answer) => resolve(error ? grpc.status[error.code] : answer.status)));
  console.log(`JavaScript: '${name}' ${seen}`);
}
client.close();
server.forceShutdown();
JS
with_go google.golang.org/grpc@v1.85.0 google.golang.org/grpc/health@v1.85.0 <<'GO'
package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc/health"
	pb "google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	server := health.NewServer()
	server.SetServingStatus("shop.Cart", pb.HealthCheckResponse_NOT_SERVING)
	for _, name := range []string{"", "shop.Cart"} {
		answer, err := server.Check(context.Background(), &pb.HealthCheckRequest{Service: name})
		fmt.Printf("Go: '%s' %v %v\n", name, answer.GetStatus(), err)
	}
}
GO
expect <<'END'
Python: '' SERVING
Python: 'shop.Cart' NOT_SERVING
JavaScript: '' NOT_FOUND
JavaScript: 'shop.Cart' NOT_SERVING
Go: '' SERVING <nil>
Go: 'shop.Cart' NOT_SERVING <nil>
END
