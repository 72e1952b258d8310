#!/usr/bin/env bash
# nicholas-fedor/shoutrrr 0.13.2 (Go).
#
# Guess: Send() of a sender for several services returns the errors there were: none when all were told.
#
# Really: it returns one entry for each service, nil where it went well. The list is never empty, and never nil. Send() of
# the package, for one address, returns an error or nil as usual.
#
# Matters: `if len(errs) > 0` takes each alert for lost, and a bot that tries again then tells the channel over and over;
# one that fails its webhook of the type rollback or event says that a step failed. errors.Join(errs...) is nil when all is
# well.
#
# Seen, for two services: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/nicholas-fedor/shoutrrr@v0.13.2 <<'GO'
package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/nicholas-fedor/shoutrrr"
)

func main() {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) }))
	defer server.Close()
	address := "generic+" + server.URL
	sender, err := shoutrrr.CreateSender(address+"/one?disabletls=yes", address+"/two?disabletls=yes")
	if err != nil {
		panic(err)
	}
	for _, status = range []int{http.StatusOK, http.StatusInternalServerError} {
		errs := sender.Send("the canary failed", nil)
		fmt.Println(status, "nil:", errs == nil, "entries:", len(errs), "joined is nil:", errors.Join(errs...) == nil)
		fmt.Println(status, "of the package, nil:", shoutrrr.Send(address+"/?disabletls=yes", "the canary failed") == nil)
	}
}
GO
expect <<'END'
200 nil: false entries: 2 joined is nil: true
200 of the package, nil: true
500 nil: false entries: 2 joined is nil: false
500 of the package, nil: false
END
