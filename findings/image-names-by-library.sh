#!/usr/bin/env bash
# google/go-containerregistry 0.22.1, distribution/reference 0.6.0 (Go).
#
# Guess: both write `app:1.2` out as the same name, and of app:1.2@sha256:… both know the tag and the digest.
#
# Really: it is index.docker.io/library/app:1.2 for one and docker.io/library/app:1.2 for the other. go-containerregistry
# drops the tag where there is a digest: Name() and Identifier() have the digest alone. Without a tag one adds :latest, the
# other nothing.
#
# Matters: a bot that compares the image of a Deployment with that of a pod, which containerd writes as docker.io/…, waits
# for the new version for ever, or takes each pod for a stranger; and the version of a pinned image, in a label or an alert,
# is a digest. Parse both sides with one library.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/distribution/reference@v0.6.0 github.com/google/go-containerregistry@v0.22.1 <<'GO'
package main

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/name"
)

func main() {
	digest := "sha256:" + strings.Repeat("0", 64)
	short := strings.NewReplacer(digest, "sha256:…")
	for _, image := range []string{"app", "app:1.2", "app:1.2@" + digest} {
		one, err := name.ParseReference(image)
		if err != nil {
			panic(err)
		}
		other, err := reference.ParseNormalizedNamed(image)
		if err != nil {
			panic(err)
		}
		tag := "none"
		if tagged, ok := other.(reference.Tagged); ok {
			tag = tagged.Tag()
		}
		fmt.Println(short.Replace(image))
		fmt.Println("  go-containerregistry:", short.Replace(one.Name()), "identifier", short.Replace(one.Identifier()))
		fmt.Println("  distribution:", short.Replace(other.String()), "tag", tag)
	}
}
GO
expect <<'END'
app
  go-containerregistry: index.docker.io/library/app:latest identifier latest
  distribution: docker.io/library/app tag none
app:1.2
  go-containerregistry: index.docker.io/library/app:1.2 identifier 1.2
  distribution: docker.io/library/app:1.2 tag 1.2
app:1.2@sha256:…
  go-containerregistry: index.docker.io/library/app@sha256:… identifier sha256:…
  distribution: docker.io/library/app:1.2@sha256:… tag 1.2
END
