#!/usr/bin/env bash
# github.com/cloudevents/sdk-go/v2 2.16.2 (Go).
#
# Guess: Send() returns nil when the receiver answers 200, and an error that IsUndelivered() reports when it answers 503.
#
# Really: over HTTP it returns a result that is never nil, also for 200. IsACK() tells whether the event was taken. IsUndelivered()
# is false for 404 and 503, and also where nobody listens.
#
# Matters: a bot with `if err := client.Send(...); err != nil { retry }` sends each alert again although it has arrived, and one
# that looks at IsUndelivered() loses what the receiver refused or never got. Look at IsACK().
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/cloudevents/sdk-go/v2@v2.16.2 <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	cloudevents "github.com/cloudevents/sdk-go/v2"
)

func main() {
	client, err := cloudevents.NewClientHTTP()
	if err != nil {
		panic(err)
	}
	event := cloudevents.NewEvent()
	event.SetID("1")
	event.SetType("canary.failed")
	event.SetSource("web")
	send := func(name, address string) {
		result := client.Send(cloudevents.ContextWithTarget(context.Background(), address), event)
		fmt.Printf("%s: err != nil %v, IsACK %v, IsUndelivered %v\n", name, result != nil, cloudevents.IsACK(result), cloudevents.IsUndelivered(result))
	}
	var address string
	for _, status := range []int{200, 202, 404, 503} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		send(fmt.Sprint(status), server.URL)
		address = server.URL
		server.Close()
	}
	send("nobody listens", address)
}
GO
expect <<'END'
200: err != nil true, IsACK true, IsUndelivered false
202: err != nil true, IsACK true, IsUndelivered false
404: err != nil true, IsACK false, IsUndelivered false
503: err != nil true, IsACK false, IsUndelivered false
nobody listens: err != nil true, IsACK false, IsUndelivered false
END
