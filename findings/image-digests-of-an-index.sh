#!/usr/bin/env bash
# github.com/google/go-containerregistry 0.22.1 (Go; crane, ko, cosign, image updaters).
#
# Guess: remote.Image(tag).Digest() is the digest of the tag, by which a registry and `docker pull` know it.
#
# Really: where the tag is an index of several platforms it is the digest of the image for linux/amd64 in it. remote.Head
# and remote.Get give that of the index.
#
# Matters: a bot that pins a release by it writes an image for amd64 into the Deployment: pods on arm64 nodes do not
# start, and the canary fails at its deadline. One that compares it with what runs, which was pinned by the index, sees a
# new version at each look. Take remote.Head for digests.
#
# Seen, of an index of two platforms in a registry in memory: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/google/go-containerregistry@v0.22.1 <<'GO'
package main

import (
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func main() {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	tag, _ := name.ParseReference(strings.TrimPrefix(server.URL, "http://") + "/app:1")
	digests, index := map[string]string{}, v1.ImageIndex(empty.Index)
	for _, arch := range []string{"arm64", "amd64"} {
		image, _ := random.Image(10, 1)
		digest, _ := image.Digest()
		digests[digest.String()] = arch
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	whole, _ := index.Digest()
	digests[whole.String()] = "the index"
	fmt.Println("written:", remote.WriteIndex(tag, index))
	image, _ := remote.Image(tag)
	digest, _ := image.Digest()
	fmt.Println("remote.Image:", digests[digest.String()])
	head, _ := remote.Head(tag)
	fmt.Println("remote.Head:", digests[head.Digest.String()])
	got, _ := remote.Get(tag)
	fmt.Println("remote.Get:", digests[got.Digest.String()])
}
GO
expect <<'END'
written: <nil>
remote.Image: amd64
remote.Head: the index
remote.Get: the index
END
