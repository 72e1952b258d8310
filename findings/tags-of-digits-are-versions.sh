#!/usr/bin/env bash
# Masterminds/semver 3.5.0 and hashicorp/go-version 1.9.0 (Go), semver 7.8.6 (npm), packaging 26.4 (Python).
#
# Guess: of the tags 1.9.0, 1.10.0, 4821907 (a short Git hash that happens to have digits only), a1b2c3d and 20260115 those
# that are not versions are refused, and the newest is 1.10.0.
#
# Really: Masterminds' NewVersion, go-version and packaging read 4821907 as 4821907.0.0, and it satisfies >=1.0.0.
# semver.coerce() finds a version in a1b2c3d too, 1.0.0, and 1.2.0 in 1.2-rc1. StrictNewVersion and semver.valid() refuse
# all but 1.10.0.
#
# Matters: one short hash in 27 has no letter. The first one that a pipeline pushes beside its releases is the newest
# version from then on: a canary of a development build begins, and no release is ever newer. Filter by a pattern, or parse
# strictly.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/Masterminds/semver/v3@v3.5.0 github.com/hashicorp/go-version@v1.9.0 <<'GO'
package main

import (
	"fmt"

	"github.com/Masterminds/semver/v3"
	"github.com/hashicorp/go-version"
)

func main() {
	atLeastOne, err := semver.NewConstraint(">=1.0.0")
	if err != nil {
		panic(err)
	}
	for _, tag := range []string{"1.10.0", "4821907", "20260115", "a1b2c3d", "1.2-rc1"} {
		read := "refused"
		if v, err := semver.NewVersion(tag); err == nil {
			read = fmt.Sprint(v, ", at least 1.0.0: ", atLeastOne.Check(v))
		}
		_, strict := semver.StrictNewVersion(tag)
		other, _ := version.NewVersion(tag)
		fmt.Printf("%s: Masterminds %s, strictly %v; go-version %v\n", tag, read, strict == nil, other)
	}
}
GO
with_node semver@7.8.6 <<'JS'
import semver from "semver";

for (const tag of ["1.10.0", "4821907", "20260115", "a1b2c3d", "1.2-rc1"]) {
  console.log(`${tag}: coerce ${semver.coerce(tag)}, valid ${semver.valid(tag)}`);
}
JS
with_python packaging==26.4 <<'PY'
from packaging.version import InvalidVersion, Version


def version(tag):
    try:
        return Version(tag)
    except InvalidVersion:
        return Version("0")


print("the newest for packaging:", max(["1.9.0", "1.10.0", "4821907", "a1b2c3d"], key=version))
PY
expect <<'END'
1.10.0: Masterminds 1.10.0, at least 1.0.0: true, strictly true; go-version 1.10.0
4821907: Masterminds 4821907.0.0, at least 1.0.0: true, strictly false; go-version 4821907.0.0
20260115: Masterminds 20260115.0.0, at least 1.0.0: true, strictly false; go-version 20260115.0.0
a1b2c3d: Masterminds refused, strictly false; go-version <nil>
1.2-rc1: Masterminds 1.2.0-rc1, at least 1.0.0: false, strictly false; go-version 1.2.0-rc1
1.10.0: coerce 1.10.0, valid 1.10.0
4821907: coerce 4821907.0.0, valid null
20260115: coerce 20260115.0.0, valid null
a1b2c3d: coerce 1.0.0, valid null
1.2-rc1: coerce 1.2.0, valid null
the newest for packaging: 4821907
END
