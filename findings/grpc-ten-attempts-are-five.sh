#!/usr/bin/env bash
# grpc-go 1.85.0, @grpc/grpc-js 1.14.7.
#
# Guess: a service config with maxAttempts: 10 makes ten attempts.
#
# Really: it makes five, in both, without a word: more is cut to five unless the client itself allows more.
#
# Matters: a backend that restarts for three seconds is to be bridged by ten attempts of a config that the operators give
# out, and is bridged by half of the time: the canary fails for the restart of its backend. Space the attempts wider.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/config" <<'END'
{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 10, "initialBackoff": "0.01s", "maxBackoff": "0.01s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}
END
with_go google.golang.org/grpc@v1.85.0 <<GO
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

type unavailable struct {
	grpc_health_v1.UnimplementedHealthServer
	calls atomic.Int32
}

func (s *unavailable) Check(context.Context, *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	s.calls.Add(1)
	return nil, status.Error(codes.Unavailable, "starting")
}

func main() {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	server, service := grpc.NewServer(), &unavailable{}
	grpc_health_v1.RegisterHealthServer(server, service)
	go server.Serve(listener)
	config, _ := os.ReadFile("$work/config")
	client, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(string(config)))
	if err != nil {
		panic(err)
	}
	_, err = grpc_health_v1.NewHealthClient(client).Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	fmt.Println("Go:", service.calls.Load(), "attempts,", status.Code(err))
}
GO
with_node @grpc/grpc-js@1.14.7 <<JS
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";

const bytes = (value) => value;
const method = {
  path: "/shop.Shop/Buy",
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};
let calls = 0;
const server = new grpc.Server();
server.addService({ Buy: method }, {
  Buy: (_, answer) => {
    calls += 1;
    answer({ code: grpc.status.UNAVAILABLE, details: "starting" });
  },
});
const port = await new Promise((bound) =>
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_, port) => bound(port)),
);
const options = { "grpc.service_config": readFileSync("$work/config", "utf8") };
const client = new grpc.Client("127.0.0.1:" + port, grpc.credentials.createInsecure(), options);
const error = await new Promise((ended) => client.makeUnaryRequest(method.path, bytes, bytes, Buffer.from("socks"), ended));
console.log("JavaScript:", calls, "attempts,", grpc.status[error.code]);
client.close();
server.forceShutdown();
JS
expect <<'END'
Go: 5 attempts, Unavailable
JavaScript: 5 attempts, UNAVAILABLE
END
