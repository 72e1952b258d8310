#!/usr/bin/env bash
# sort -V of GNU coreutils 9.1 (Debian 12), packaging 26.4 (Python), golang.org/x/mod 0.43.0, against semver 7.8.6 (npm).
#
# Guess: of the tags 1.9.0, 1.10.0, 1.10.0-1 and 1.10.0-rc.1 the newest is 1.10.0 for each of them.
#
# Really: that is so for semver alone. `sort -V | tail -1` is 1.10.0-rc.1, packaging takes 1.10.0-1 for the first release
# after 1.10.0, and for golang.org/x/mod/semver all versions without a "v" are equal: its largest is whichever came first,
# here 1.9.0.
#
# Matters: a bot or a pipeline that writes the newest tag into a Deployment starts a canary of a release candidate, of a build
# that was never released, or of no new version at all. Choose by semver, and leave out what has a dash.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export TAGS="1.9.0 1.10.0 1.10.0-1 1.10.0-rc.1"
echo "sort -V: $(tr ' ' '\n' <<<"$TAGS" | sort -V | tail -1)" | tee -a "$work/seen"
with_python packaging==26.4 <<'PY'
import os

from packaging.version import Version

print("packaging:", max(os.environ["TAGS"].split(), key=Version))
PY
with_go golang.org/x/mod@v0.43.0 <<'GO'
package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

func main() {
	tags := strings.Fields(os.Getenv("TAGS"))
	fmt.Println("x/mod:", slices.MaxFunc(tags, semver.Compare))
	for number := range tags {
		tags[number] = "v" + tags[number]
	}
	fmt.Println("x/mod with v:", slices.MaxFunc(tags, semver.Compare))
}
GO
with_node semver@7.8.6 <<'JS'
import semver from "semver";

console.log("semver:", process.env.TAGS.split(" ").sort(semver.compare).at(-1));
JS
expect <<'END'
sort -V: 1.10.0-rc.1
packaging: 1.10.0-1
x/mod: 1.9.0
x/mod with v: v1.10.0
semver: 1.10.0
END
