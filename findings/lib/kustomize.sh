# shellcheck shell=bash
# Sourced by the scripts about kustomize: builds the pinned library into a temporary folder, which goes when the script
# ends.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# kustomize <version of sigs.k8s.io/kustomize/api> <overlay>: what `kustomize build` prints
kustomize() {
  if [ ! -x "$work/kustomize/kustomize" ]; then
    mkdir -p "$work/kustomize"
    cat >"$work/kustomize/main.go" <<'GO'
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	text, err := built.AsYaml()
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(text)
}
GO
    (cd "$work/kustomize" && go mod init kustomize && go get "sigs.k8s.io/kustomize/api/krusty@$1" && go build -o kustomize .) \
      2>"$work/log" || { cat "$work/log" >&2; return 1; }
  fi
  "$work/kustomize/kustomize" "$2"
}
