#!/usr/bin/env bash
# GNU envsubst 0.21 (Debian 12), github.com/a8m/envsubst 1.4.3, github.com/fluxcd/pkg/envsubst 1.5.0 (Flux) and expandvars
# 1.1.2 (Python).
#
# Guess: they replace what is a name of a variable: "$1" in label_replace and in awk stays, as "${1}" does.
#
# Really: only GNU's leaves both. a8m's and expandvars make both empty, Flux's, which wants braces everywhere, "${1}". What
# takes a part of a value, ${ns:0:4} or ${ns%-*}, is the whole value for a8m's, the part for Flux's, and left by GNU's.
#
# Matters: a MetricTemplate with label_replace(x, "pod", "$1", …) loses the label on its way through a pipeline, and what
# was one series per pod is an error or one series; a Job with awk '{print $1}' judges by the whole line. Nothing tells of
# it. Name the variables to replace (GNU), give -no-digit (a8m), or write $$1.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/texts" <<'TXT'
label_replace(up{ns="${ns}"}, "pod", "$1", "instance", "(.*):.*")
label_replace(up{ns="${ns}"}, "pod", "${1}", "instance", "(.*):.*")
awk '{print $1}' "$ns"
${ns:0:4} ${ns%-*}
TXT
export ns=shop-eu
(cd "$work" && apt-get download -qq -o APT::Sandbox::User=root gettext-base=0.21-12 && dpkg-deb -x gettext-base*.deb .)
"$work/usr/bin/envsubst" <"$work/texts" | sed 's/^/GNU: /' | tee -a "$work/seen"
cd "$work"
with_go github.com/a8m/envsubst@v1.4.3 github.com/fluxcd/pkg/envsubst@v1.5.0 <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	a8m "github.com/a8m/envsubst"
	flux "github.com/fluxcd/pkg/envsubst"
)

func main() {
	page, _ := os.ReadFile("../texts")
	texts := strings.Split(strings.TrimSpace(string(page)), "\n")
	for _, text := range texts {
		value, err := a8m.String(text)
		fmt.Println("a8m:", value, err)
	}
	// what is not known is empty, unless one asks for the strict mode
	known := func(name string) (string, bool) { return os.Getenv(name), true }
	for _, text := range texts {
		value, err := flux.Eval(text, known)
		fmt.Println("Flux:", value, err)
	}
}
GO
with_python expandvars==1.1.2 <<'PY'
import expandvars

for text in open("texts").read().splitlines()[:2]:
    print("Python:", expandvars.expandvars(text))
PY
expect <<'END'
GNU: label_replace(up{ns="shop-eu"}, "pod", "$1", "instance", "(.*):.*")
GNU: label_replace(up{ns="shop-eu"}, "pod", "${1}", "instance", "(.*):.*")
GNU: awk '{print $1}' "shop-eu"
GNU: ${ns:0:4} ${ns%-*}
a8m: label_replace(up{ns="shop-eu"}, "pod", "", "instance", "(.*):.*") <nil>
a8m: label_replace(up{ns="shop-eu"}, "pod", "", "instance", "(.*):.*") <nil>
a8m: awk '{print }' "shop-eu" <nil>
a8m: shop-eu shop-eu <nil>
Flux: label_replace(up{ns="shop-eu"}, "pod", "$1", "instance", "(.*):.*") <nil>
Flux: label_replace(up{ns="shop-eu"}, "pod", "", "instance", "(.*):.*") <nil>
Flux: awk '{print $1}' "$ns" <nil>
Flux: shop shop <nil>
Python: label_replace(up{ns="shop-eu"}, "pod", "", "instance", "(.*):.*")
Python: label_replace(up{ns="shop-eu"}, "pod", "", "instance", "(.*):.*")
END
