#!/usr/bin/env bash
# k8s.io/apimachinery 0.36.3 (Go), equality.Semantic.DeepDerivative.
#
# Guess: DeepDerivative(wanted, live) ignores what is not set in wanted, and compares what is.
#
# Really: of a list only the beginning is compared: wanted [a] and live [a b] are no difference. An empty text and a
# nil are ignored, 0 and false are not.
#
# Matters: operators that use it to find drift do not see that somebody added a rule, a port or a container behind
# theirs, while a 0 that nobody set is a difference for ever. Serin compares lists whole.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
)

type spec struct {
	Hosts  []string
	Class  string
	Weight int32
	Paused bool
}

func main() {
	same := equality.Semantic.DeepDerivative
	fmt.Println("wanted [a], live [a b]:", same(spec{Hosts: []string{"a"}}, spec{Hosts: []string{"a", "b"}}))
	fmt.Println("wanted [b], live [a b]:", same(spec{Hosts: []string{"b"}}, spec{Hosts: []string{"a", "b"}}))
	fmt.Println("class not set, live nginx:", same(spec{}, spec{Class: "nginx"}))
	fmt.Println("weight not set, live 5:", same(spec{}, spec{Weight: 5}))
	fmt.Println("paused not set, live true:", same(spec{}, spec{Paused: true}))
}
GO
expect <<'END'
wanted [a], live [a b]: true
wanted [b], live [a b]: false
class not set, live nginx: true
weight not set, live 5: false
paused not set, live true: false
END
