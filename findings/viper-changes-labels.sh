#!/usr/bin/env bash
# viper 1.21.0 (Go).
#
# Guess: a map of a settings file, such as labels, is handed on with the keys that stand in the file.
#
# Really: viper makes keys lower case and takes dots for levels: app.kubernetes.io/name is the map {kubernetes: {io/name:
# …}} below app. With a label "App" beside it, the one or the other is gone, by chance.
#
# Matters: a tool in Go that makes Canaries from its settings selects pods by other labels than stand there: a primary
# without pods, or one that has those of a neighbour. Read the part with Kubernetes' own YAML reader.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/spf13/viper@v1.21.0 <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

func load(text string) string {
	settings := viper.New()
	settings.SetConfigType("yaml")
	settings.ReadConfig(strings.NewReader(text))
	line, _ := json.Marshal(settings.AllSettings()["matchlabels"])
	return string(line)
}

func main() {
	fmt.Println(load("matchLabels:\n  app.kubernetes.io/name: shop\n  canaryOf: shop\n"))
	seen := map[string]bool{}
	for range 200 {
		seen[load("matchLabels:\n  app.kubernetes.io/name: shop\n  App: shop\n")] = true
	}
	fmt.Println(strings.Join(slices.Sorted(maps.Keys(seen)), " or "))
}
GO
expect <<'END'
{"app":{"kubernetes":{"io/name":"shop"}},"canaryof":"shop"}
{"app":"shop"} or {"app":{"kubernetes":{"io/name":"shop"}}}
END
