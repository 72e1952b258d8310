#!/usr/bin/env bash
# helm.sh/helm/v3 3.22.0 (Go), pkg/engine.
#
# Guess: fromYaml of text that is no map, and .Files.Get of a file that is not in the chart, end the render.
#
# Really: fromYaml gives a map with one key, Error, and fromYamlArray a list with one entry, the text of the error;
# `required` takes both. A missing file is an empty text, at which `required` stops.
#
# Matters: checks of a Canary that a chart reads from a file or from a value are empty once somebody has written a list
# for a map, or one item with that sentence for a name; with toYaml a field `Error` is in the manifest, which the API
# server drops. The release runs without them. Ask for .Error, and wrap .Files.Get in required.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go helm.sh/helm/v3@v3.22.0 helm.sh/helm/v3/pkg/engine@v3.22.0 <<'GO'
package main

import (
	"fmt"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

func main() {
	values, _ := chartutil.ReadValues([]byte("analysis: |\n  - name: request-success-rate\nmetrics: |\n  name: request-success-rate\n"))
	for _, text := range []string{
		`metrics: {{ (fromYaml .Values.analysis).metrics | default list | toJson }}`,
		`{{ fromYaml .Values.analysis | required "analysis is needed" | keys }}`,
		`{{ range fromYamlArray .Values.metrics }}- {{ . | quote }}{{ end }}`,
		`{{ len (fromJsonArray "{}") }}`,
		`analysis: {{ .Files.Get "analysis.yaml" | quote }}`,
		`{{ .Files.Get "analysis.yaml" | required "no analysis.yaml" }}`,
	} {
		c := &chart.Chart{
			Metadata:  &chart.Metadata{Name: "app", Version: "1.0.0", APIVersion: "v2"},
			Templates: []*chart.File{{Name: "templates/canary.yaml", Data: []byte(text)}},
		}
		render, _ := chartutil.ToRenderValues(c, values, chartutil.ReleaseOptions{Name: "app"}, nil)
		out, err := engine.Render(c, render)
		fmt.Println(text, "|", out["app/templates/canary.yaml"], "| fails:", err != nil)
	}
}
GO
expect <<'END'
metrics: {{ (fromYaml .Values.analysis).metrics | default list | toJson }} | metrics: [] | fails: false
{{ fromYaml .Values.analysis | required "analysis is needed" | keys }} | [Error] | fails: false
{{ range fromYamlArray .Values.metrics }}- {{ . | quote }}{{ end }} | - "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal object into Go value of type []interface {}" | fails: false
{{ len (fromJsonArray "{}") }} | 1 | fails: false
analysis: {{ .Files.Get "analysis.yaml" | quote }} | analysis: "" | fails: false
{{ .Files.Get "analysis.yaml" | required "no analysis.yaml" }} |  | fails: true
END
