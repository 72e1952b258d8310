#!/usr/bin/env bash
# packageurl-python 0.17.6 (Python), packageurl-js 2.0.1 (JavaScript) and packageurl-go 0.1.7 (Go).
#
# Guess: a package URL, which is made to name one package the same way in each tool, is the same text in each language.
#
# Really: the slash of a qualifier is encoded in Go and JavaScript and not in Python; a plus in a version is encoded in Go
# and Python and not in JavaScript; and the name of a Python package is brought to its normal form by all but Go.
#
# Matters: a gate that looks for the image of a canary in an SBOM, or for a finding in a list of exceptions, by comparing
# these texts finds nothing if another tool has written it, and passes. Parse both sides and compare the parts, the name
# of a Python package in its normal form.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python packageurl-python==0.17.6 <<'PY'
from packageurl import PackageURL

print("Python:", PackageURL("oci", name="app", version="sha256:abc", qualifiers={"repository_url": "ghcr.io/shop/app"}))
print("Python:", PackageURL("golang", "github.com/shop", "app", "v2.0.0+incompatible"))
print("Python:", PackageURL("pypi", name="My_Package", version="1.0"))
PY
with_node packageurl-js@2.0.1 <<'JS'
import { PackageURL } from "packageurl-js";

console.log("JavaScript:", `${new PackageURL("oci", null, "app", "sha256:abc", { repository_url: "ghcr.io/shop/app" })}`);
console.log("JavaScript:", `${new PackageURL("golang", "github.com/shop", "app", "v2.0.0+incompatible")}`);
console.log("JavaScript:", `${new PackageURL("pypi", null, "My_Package", "1.0")}`);
JS
with_go github.com/package-url/packageurl-go@v0.1.7 <<'GO'
package main

import (
	"fmt"

	purl "github.com/package-url/packageurl-go"
)

func main() {
	at := purl.QualifiersFromMap(map[string]string{"repository_url": "ghcr.io/shop/app"})
	fmt.Println("Go:", purl.NewPackageURL("oci", "", "app", "sha256:abc", at, "").ToString())
	fmt.Println("Go:", purl.NewPackageURL("golang", "github.com/shop", "app", "v2.0.0+incompatible", nil, "").ToString())
	fmt.Println("Go:", purl.NewPackageURL("pypi", "", "My_Package", "1.0", nil, "").ToString())
}
GO
expect <<'END'
Python: pkg:oci/app@sha256:abc?repository_url=ghcr.io/shop/app
Python: pkg:golang/github.com/shop/app@v2.0.0%2Bincompatible
Python: pkg:pypi/my-package@1.0
JavaScript: pkg:oci/app@sha256:abc?repository_url=ghcr.io%2Fshop%2Fapp
JavaScript: pkg:golang/github.com/shop/app@v2.0.0+incompatible
JavaScript: pkg:pypi/my-package@1.0
Go: pkg:oci/app@sha256:abc?repository_url=ghcr.io%2Fshop%2Fapp
Go: pkg:golang/github.com/shop/app@v2.0.0%2Bincompatible
Go: pkg:pypi/My_Package@1.0
END
