#!/usr/bin/env bash
# Masterminds/semver 3.5.0 (Go; Helm, Flux's image policies), semver 7.8.6 (npm; Renovate) and semver 1.0.28 (Rust;
# Cargo).
#
# Guess: the range "1.2" means the same versions everywhere, and ">=1.0.0-0", the known way to admit pre-releases, too.
#
# Really: for Go and npm "1.2" is 1.2.x; for Rust it is any 1.x from 1.2 on, and "1.2.3" is not that version alone.
# ">=1.0.0-0" and ">=1.2.3-rc.1" admit every later pre-release in Go, and only those of the very version that is named
# in npm and Rust.
#
# Matters: the image policy that starts releases and the bot that reviews it choose other versions by the same text: one
# releases 1.3.0-rc.1 to a canary that the other has never proposed. Write ~1.2 for 1.2.x, which all read alike.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/Masterminds/semver/v3@v3.5.0 <<'GO'
package main

import (
	"fmt"

	"github.com/Masterminds/semver/v3"
)

func main() {
	for _, text := range []string{"1.2", "~1.2", "1.2.3", ">=1.0.0-0", ">=1.2.3-rc.1"} {
		constraint, err := semver.NewConstraint(text)
		if err != nil {
			panic(err)
		}
		fmt.Printf("Go %s:", text)
		for _, version := range []string{"1.2.3-rc.2", "1.2.3", "1.2.5", "1.3.0-rc.1", "1.9.0"} {
			if constraint.Check(semver.MustParse(version)) {
				fmt.Print(" ", version)
			}
		}
		fmt.Println()
	}
}
GO
with_node semver@7.8.6 <<'JS'
import semver from "semver";

for (const text of ["1.2", "~1.2", "1.2.3", ">=1.0.0-0", ">=1.2.3-rc.1"]) {
  const found = ["1.2.3-rc.2", "1.2.3", "1.2.5", "1.3.0-rc.1", "1.9.0"].filter((version) => semver.satisfies(version, text));
  console.log(`npm ${text}:`, ...found);
}
JS
with_cargo semver@=1.0.28 <<'RUST'
use semver::{Version, VersionReq};

fn main() {
    for text in ["1.2", "~1.2", "1.2.3", ">=1.0.0-0", ">=1.2.3-rc.1"] {
        let range = VersionReq::parse(text).unwrap();
        print!("Rust {text}:");
        for version in ["1.2.3-rc.2", "1.2.3", "1.2.5", "1.3.0-rc.1", "1.9.0"] {
            if range.matches(&Version::parse(version).unwrap()) {
                print!(" {version}");
            }
        }
        println!();
    }
}
RUST
expect <<'END'
Go 1.2: 1.2.3 1.2.5
Go ~1.2: 1.2.3 1.2.5
Go 1.2.3: 1.2.3
Go >=1.0.0-0: 1.2.3-rc.2 1.2.3 1.2.5 1.3.0-rc.1 1.9.0
Go >=1.2.3-rc.1: 1.2.3-rc.2 1.2.3 1.2.5 1.3.0-rc.1 1.9.0
npm 1.2: 1.2.3 1.2.5
npm ~1.2: 1.2.3 1.2.5
npm 1.2.3: 1.2.3
npm >=1.0.0-0: 1.2.3 1.2.5 1.9.0
npm >=1.2.3-rc.1: 1.2.3-rc.2 1.2.3 1.2.5 1.9.0
Rust 1.2: 1.2.3 1.2.5 1.9.0
Rust ~1.2: 1.2.3 1.2.5
Rust 1.2.3: 1.2.3 1.2.5 1.9.0
Rust >=1.0.0-0: 1.2.3 1.2.5 1.9.0
Rust >=1.2.3-rc.1: 1.2.3-rc.2 1.2.3 1.2.5 1.9.0
END
