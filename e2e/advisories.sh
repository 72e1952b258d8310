#!/usr/bin/env bash
# Tests `make advisories` without a network, with a generated database in RustSec's format: it finds an advisory for a used crate, but no
# ignored one, and none for older versions.
set -euo pipefail
cd "$(dirname "$0")/.."
deny=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
database=$folder/made-up
# The program accepts only URLs with a host: git redirects it.
url=https://advisories.example/made-up
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$database.insteadOf" GIT_CONFIG_VALUE_0=$url

# advisory <crate> <id> <fixed versions>
advisory() {
  mkdir -p "$database/crates/$1"
  cat > "$database/crates/$1/$2.md" <<TEXT
\`\`\`toml
[advisory]
id = "$2"
package = "$1"
date = "2026-01-01"
url = "https://example.com/$2"
categories = ["denial-of-service"]

[versions]
patched = ["$3"]
\`\`\`

# Made up

For the trial of the check.
TEXT
}

# check: prints the ids of the advisories found
check() {
  git -C "$database" add --all
  git -C "$database" -c user.name=trial -c user.email=trial@example.com commit --quiet --allow-empty --message trial
  mkdir -p "$folder/home"
  sed "s|^\[advisories\]|&\ngit-fetch-with-cli = true\ndb-path = \"$folder/home\"\ndb-urls = [\"$url\"]|" .deny.toml > "$folder/deny.toml"
  rm -rf "$folder/home"
  "$deny" --workspace --locked --config "$folder/deny.toml" check advisories 2>&1 || true
}

mkdir -p "$database"
git -C "$database" init --quiet --initial-branch main
advisory bytes RUSTSEC-2026-9001 '>= 9999.0.0'
advisory serde RUSTSEC-2026-9002 '>= 1.0.0'
advisory backoff RUSTSEC-2025-0012 '>= 9999.0.0'
found=$(check)
for wanted in RUSTSEC-2026-9001 'advisories FAILED'; do
  grep -q "$wanted" <<<"$found" || { printf '%s\n\nnot found: %s\n' "$found" "$wanted"; exit 1; }
done
for other in RUSTSEC-2026-9002 'ID: RUSTSEC-2025-0012'; do
  ! grep -q "$other" <<<"$found" || { printf '%s\n\nfound: %s\n' "$found" "$other"; exit 1; }
done
rm "$database/crates/bytes/RUSTSEC-2026-9001.md"
found=$(check)
grep -q 'advisories ok' <<<"$found" || { printf '%s\n\nthe database without it does not pass\n' "$found"; exit 1; }
echo 'An advisory for a crate in use is found, and no other.'
