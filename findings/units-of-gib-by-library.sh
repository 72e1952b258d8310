#!/usr/bin/env bash
# docker/go-units 0.5.0 and dustin/go-humanize 1.1.0 (Go), humanfriendly 10.0 (Python).
#
# Guess: "1GiB" is 2^30 bytes, "1GB" 10^9, and "1Gi", as Kubernetes writes it, 2^30 or an error, in each of them.
#
# Really: FromHumanSize of go-units takes "1GiB" for 10^9, and RAMInBytes takes "1GB" for 2^30: each goes by its own unit
# whatever is written. humanfriendly reads "1Gi" as 10^9 and knows 2^30 only as "1GiB". "100m", a tenth for Kubernetes, is a
# hundred millions for all.
#
# Matters: a tool that compares the memory of a canary with the limit in its manifest is 7 % off for GiB, 5 % for MiB: it
# tells of a limit that is not reached, or sets one that the same load exceeds. Read the values of manifests with a library
# for Kubernetes' quantities.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export SIZES="1GiB 1GB 1Gi 100m"
with_go github.com/docker/go-units@v0.5.0 github.com/dustin/go-humanize@v1.1.0 <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/docker/go-units"
	"github.com/dustin/go-humanize"
)

func tell[T int64 | uint64](name, size string, bytes T, err error) {
	if err != nil {
		fmt.Printf("%s %s: refused\n", name, size)
		return
	}
	fmt.Printf("%s %s: %d\n", name, size, bytes)
}

func main() {
	for _, size := range strings.Fields(os.Getenv("SIZES")) {
		human, err := units.FromHumanSize(size)
		tell("FromHumanSize", size, human, err)
		ram, err := units.RAMInBytes(size)
		tell("RAMInBytes", size, ram, err)
		bytes, err := humanize.ParseBytes(size)
		tell("ParseBytes", size, bytes, err)
	}
}
GO
with_python humanfriendly==10.0 <<'PY'
import os

from humanfriendly import parse_size

for size in os.environ["SIZES"].split():
    print(f"parse_size {size}: {parse_size(size)}")
PY
expect <<'END'
FromHumanSize 1GiB: 1000000000
RAMInBytes 1GiB: 1073741824
ParseBytes 1GiB: 1073741824
FromHumanSize 1GB: 1000000000
RAMInBytes 1GB: 1073741824
ParseBytes 1GB: 1000000000
FromHumanSize 1Gi: refused
RAMInBytes 1Gi: refused
ParseBytes 1Gi: 1073741824
FromHumanSize 100m: 100000000
RAMInBytes 100m: 104857600
ParseBytes 100m: 100000000
parse_size 1GiB: 1073741824
parse_size 1GB: 1000000000
parse_size 1Gi: 1000000000
parse_size 100m: 100000000
END
