#!/usr/bin/env bash
# grpc-gateway 2.33.0 (Go).
#
# Guess: a streamed call that fails behind the gateway is a 5xx, or, once its first message has been sent, a connection that
# breaks off, which proxies count as a failure.
#
# Really: before the first message it is the status of the error, after it a complete answer 200, whose last line is
# {"error": …}. FAILED_PRECONDITION and OUT_OF_RANGE are 400, ABORTED is 409, CANCELLED 499.
#
# Matters: by the status of requests, at the proxy and in the gateway's own metrics, a canary whose streams all fail
# half-way has a success rate of 100 %, and one that answers FAILED_PRECONDITION to all as well, as it is no 5xx. Judge by
# the metrics of the gRPC server behind it.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/grpc-ecosystem/grpc-gateway/v2@v2.33.0 <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func main() {
	mux := runtime.NewServeMux()
	for messages := range 3 {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent := 0
			_, outbound := runtime.MarshalerForRequest(mux, r)
			context := runtime.NewServerMetadataContext(r.Context(), runtime.ServerMetadata{})
			runtime.ForwardResponseStream(context, mux, outbound, w, r, func() (proto.Message, error) {
				if sent == messages {
					return nil, status.Error(codes.Unavailable, "gone")
				}
				sent++
				return wrapperspb.String("row"), nil
			})
		}))
		answer, err := http.Get(server.URL)
		if err != nil {
			panic(err)
		}
		body, err := io.ReadAll(answer.Body)
		fmt.Printf("fails after %d messages: %d, reads to the end: %v\n", messages, answer.StatusCode, err == nil)
		for _, line := range strings.Fields(strings.ReplaceAll(string(body), " ", "")) {
			fmt.Println(" ", line)
		}
		server.Close()
	}
	for _, code := range []codes.Code{codes.FailedPrecondition, codes.OutOfRange, codes.Aborted, codes.Canceled, codes.DeadlineExceeded} {
		fmt.Println(code, runtime.HTTPStatusFromCode(code))
	}
}
GO
expect <<'END'
fails after 0 messages: 503, reads to the end: true
  {"error":{"code":14,"message":"gone","details":[]}}
fails after 1 messages: 200, reads to the end: true
  {"result":"row"}
  {"error":{"code":14,"message":"gone","details":[]}}
fails after 2 messages: 200, reads to the end: true
  {"result":"row"}
  {"result":"row"}
  {"error":{"code":14,"message":"gone","details":[]}}
FailedPrecondition 400
OutOfRange 400
Aborted 409
Canceled 499
DeadlineExceeded 504
END
