#!/usr/bin/env bash
# semver 1.0.28 (Rust) and sort() of semver 7.8.6 (npm), against compare() of the latter, Masterminds/semver 3.5.0 and
# hashicorp/go-version 1.9.0 (Go), semver 3.1.2 (Python).
#
# Guess: 1.4.0+9 and 1.4.0+10 are equal for all, since what follows the plus does not count in Semantic Versioning.
#
# Really: in Rust 1.4.0+10 is the greater one, by == and < alike, and cmp_precedence() is what was guessed. sort() of npm
# puts them into order too, which its compare() calls equal. For the others they are equal.
#
# Matters: a bot in Rust begins a canary for each build of one version; one in Go or Python never sees a rebuild, and of
# two of them it takes the one that a registry lists first. Say in the version itself what is newer, or compare by one
# library.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo semver@=1.0.28 <<'RUST'
use semver::Version;

fn main() {
    let [nine, ten] = ["1.4.0+9", "1.4.0+10"].map(|text| Version::parse(text).unwrap());
    println!("Rust: equal {}, less {}, by precedence {:?}", nine == ten, nine < ten, nine.cmp_precedence(&ten));
}
RUST
with_node semver@7.8.6 <<'JS'
import semver from "semver";

console.log("npm: compare", semver.compare("1.4.0+9", "1.4.0+10"), "sort", semver.sort(["1.4.0+10", "1.4.0+9"]).join());
JS
with_go github.com/Masterminds/semver/v3@v3.5.0 github.com/hashicorp/go-version@v1.9.0 <<'GO'
package main

import (
	"fmt"

	"github.com/Masterminds/semver/v3"
	"github.com/hashicorp/go-version"
)

func main() {
	nine, ten := semver.MustParse("1.4.0+9"), semver.MustParse("1.4.0+10")
	fmt.Println("Masterminds: equal", nine.Equal(ten), "less", nine.LessThan(ten))
	old, later := version.Must(version.NewVersion("1.4.0+9")), version.Must(version.NewVersion("1.4.0+10"))
	fmt.Println("hashicorp: compare", old.Compare(later))
}
GO
with_python semver==3.1.2 <<'PY'
from semver import Version

print("Python: equal", Version.parse("1.4.0+9") == Version.parse("1.4.0+10"), "newest", max(Version.parse("1.4.0+9"), Version.parse("1.4.0+10")))
PY
expect <<'END'
Rust: equal false, less true, by precedence Equal
npm: compare 0 sort 1.4.0+9,1.4.0+10
Masterminds: equal true less false
hashicorp: compare 0
Python: equal True newest 1.4.0+9
END
