#!/usr/bin/env bash
# slugify 1.6.9, @sindresorhus/slugify 3.0.1 and github-slugger 2.0.0 (JavaScript), python-slugify 9.2.0 (Python),
# gosimple/slug 1.15.0 (Go).
#
# Guess: a slug of a branch is a name for Kubernetes, and the same one by each library.
#
# Really: feature/ABC_1.2 has a different slug by nearly each of them: a slash is a dash or nothing, a dot stays, goes or is a
# dash, and an underscore as well. slugify leaves capitals, underscores and dots, @sindresorhus/slugify makes two words of
# fooBar. With the dots taken out 1.10.0 and 11.0.0 are one name.
#
# Matters: the namespace, the host and the labels of a preview are made by a pipeline in one language and looked for by a bot
# in another: it finds nothing, or the API server refuses the name. Make the name at one place and pass it on.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/branches" <<'TXT'
feature/ABC_1.2
fooBar
release-1.10.0
release-11.0.0
fix: 5% -> 10%
TXT
export BRANCHES="$work/branches"
with_node slugify@1.6.9 @sindresorhus/slugify@3.0.1 github-slugger@2.0.0 <<'JS'
import fs from "node:fs";
import sindresorhus from "@sindresorhus/slugify";
import { slug } from "github-slugger";
import slugify from "slugify";

for (const branch of fs.readFileSync(process.env.BRANCHES, "utf8").trim().split("\n")) {
  const seen = {
    slugify: slugify(branch),
    strict: slugify(branch, { lower: true, strict: true }),
    sindresorhus: sindresorhus(branch),
    "github-slugger": slug(branch),
  };
  console.log(`${branch}: ${Object.entries(seen).map((pair) => pair.join(" ")).join(", ")}`);
}
JS
with_python python-slugify==9.2.0 <<'PY'
import os

from slugify import slugify

with open(os.environ["BRANCHES"]) as file:
    for branch in file.read().splitlines():
        print(f"{branch}: python-slugify {slugify(branch)}")
PY
with_go github.com/gosimple/slug@v1.15.0 <<'GO'
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/gosimple/slug"
)

func main() {
	file, err := os.Open(os.Getenv("BRANCHES"))
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fmt.Printf("%s: gosimple/slug %s\n", lines.Text(), slug.Make(lines.Text()))
	}
}
GO
expect <<'END'
feature/ABC_1.2: slugify featureABC_1.2, strict featureabc12, sindresorhus feature-abc-1-2, github-slugger featureabc_12
fooBar: slugify fooBar, strict foobar, sindresorhus foo-bar, github-slugger foobar
release-1.10.0: slugify release-1.10.0, strict release-1100, sindresorhus release-1-10-0, github-slugger release-1100
release-11.0.0: slugify release-11.0.0, strict release-1100, sindresorhus release-11-0-0, github-slugger release-1100
fix: 5% -> 10%: slugify fix:-5percent-greater-10percent, strict fix-5percent-greater-10percent, sindresorhus fix-5-10, github-slugger fix-5---10
feature/ABC_1.2: python-slugify feature-abc-1-2
fooBar: python-slugify foobar
release-1.10.0: python-slugify release-1-10-0
release-11.0.0: python-slugify release-11-0-0
fix: 5% -> 10%: python-slugify fix-5-10
feature/ABC_1.2: gosimple/slug feature-abc_1-2
fooBar: gosimple/slug foobar
release-1.10.0: gosimple/slug release-1-10-0
release-11.0.0: gosimple/slug release-11-0-0
fix: 5% -> 10%: gosimple/slug fix-5-10
END
