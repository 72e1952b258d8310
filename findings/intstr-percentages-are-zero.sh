#!/usr/bin/env bash
# k8s.io/apimachinery 0.36.3 (Go), util/intstr.
#
# Guess: IntValue() of "25%" is an error, or what it says; and of the percentages of a whole number those below zero are
# refused.
#
# Really: IntValue() is 0, without an error. GetScaledValueFromIntOrPercent() is right, refuses "0.5%" and "25", and takes
# "-1%", which is 0 of ten and -1 of a hundred.
#
# Matters: a tool in Go that shows, checks or lowers maxSurge, maxUnavailable or minAvailable of a primary takes a quarter for
# nothing: it tells of a rollout that cannot go on, or writes 0. Give it the number of replicas to scale by.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/apimachinery@v0.36.3 <<'GO'
package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/intstr"
)

func main() {
	for _, text := range []string{"2", "25%", "0.5%", "25", "-1%"} {
		value := intstr.Parse(text)
		if text == "25" {
			value = intstr.FromString(text)
		}
		fmt.Printf("%s: IntValue %d", text, value.IntValue())
		for _, total := range []int{10, 100} {
			scaled, err := intstr.GetScaledValueFromIntOrPercent(&value, total, true)
			if err != nil {
				fmt.Print(", refused")
				continue
			}
			fmt.Printf(", %d of %d", scaled, total)
		}
		fmt.Println()
	}
}
GO
expect <<'END'
2: IntValue 2, 2 of 10, 2 of 100
25%: IntValue 0, 3 of 10, 25 of 100
0.5%: IntValue 0, refused, refused
25: IntValue 25, refused, refused
-1%: IntValue 0, 0 of 10, -1 of 100
END
