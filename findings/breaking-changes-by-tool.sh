#!/usr/bin/env bash
# @semantic-release/commit-analyzer 13.0.1 (JavaScript), commitizen 4.19.3 and python-semantic-release 10.7.0 (Python).
#
# Guess: they agree about conventional commits. feat!: and a footer BREAKING CHANGE are a major release, feat: is a minor
# one, fix: and perf: a patch, and docs:, refactor: and what is not of this form are none.
#
# Really: for semantic-release with its defaults `feat!:` is no commit of this form, and so no release at all. A footer in
# lower case is major for it and a patch for the others, BREAKING-CHANGE is minor for it and major for the others. commitizen
# makes a patch of refactor:, and counts a merge commit by its second paragraph. For python-semantic-release a footer
# without a blank line above it is none.
#
# Matters: a bot that lets patches through and stops at a major version starts a canary of a breaking change by itself, and
# the one with semantic-release never starts it. State the tool, and refuse other commits in CI by the same tool.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/commits.json" <<'JSON'
["feat!: drop v1", "chore!: drop v1", "feat: x\n\nBREAKING CHANGE: v1", "feat: x\n\nBREAKING-CHANGE: v1",
 "fix: x\n\nbreaking change: v1", "fix: x\nBREAKING CHANGE: v1", "Feat: x", "refactor: x", "docs: x",
 "Merge branch x\n\nfeat: x"]
JSON
export WORK=$work
with_node @semantic-release/commit-analyzer@13.0.1 <<'JS'
import { readFileSync } from "node:fs";
import { analyzeCommits } from "@semantic-release/commit-analyzer";

for (const message of JSON.parse(readFileSync(`${process.env.WORK}/commits.json`, "utf8"))) {
  const context = { cwd: process.cwd(), commits: [{ hash: "1", message }], logger: { log() {} } };
  console.log(`${JSON.stringify(message)}: semantic-release ${(await analyzeCommits({}, context)) ?? "none"}`);
}
JS
with_python commitizen==4.19.3 python-semantic-release==10.7.0 <<'PY'
import json
import os

from commitizen.cz.conventional_commits import ConventionalCommitsCz
from commitizen.version_increment import VersionIncrement
from semantic_release.commit_parser import ConventionalCommitParser

parser = ConventionalCommitParser()
for message in json.load(open(os.environ["WORK"] + "/commits.json")):
    rule = ConventionalCommitsCz
    increment = VersionIncrement.from_message(message, rule.bump_pattern, rule.bump_map).name.lower()
    parsed = parser.parse_message(message)
    released = parsed.bump.name.lower().replace("no_release", "none") if parsed else "none"
    print(f"{json.dumps(message)}: commitizen {increment}, python-semantic-release {released}")
PY
expect <<'END'
"feat!: drop v1": semantic-release none
"chore!: drop v1": semantic-release none
"feat: x\n\nBREAKING CHANGE: v1": semantic-release major
"feat: x\n\nBREAKING-CHANGE: v1": semantic-release minor
"fix: x\n\nbreaking change: v1": semantic-release major
"fix: x\nBREAKING CHANGE: v1": semantic-release major
"Feat: x": semantic-release none
"refactor: x": semantic-release none
"docs: x": semantic-release none
"Merge branch x\n\nfeat: x": semantic-release none
"feat!: drop v1": commitizen major, python-semantic-release major
"chore!: drop v1": commitizen major, python-semantic-release major
"feat: x\n\nBREAKING CHANGE: v1": commitizen major, python-semantic-release major
"feat: x\n\nBREAKING-CHANGE: v1": commitizen major, python-semantic-release major
"fix: x\n\nbreaking change: v1": commitizen patch, python-semantic-release patch
"fix: x\nBREAKING CHANGE: v1": commitizen major, python-semantic-release patch
"Feat: x": commitizen none, python-semantic-release none
"refactor: x": commitizen patch, python-semantic-release none
"docs: x": commitizen none, python-semantic-release none
"Merge branch x\n\nfeat: x": commitizen minor, python-semantic-release none
END
