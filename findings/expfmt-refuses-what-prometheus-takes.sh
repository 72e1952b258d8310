#!/usr/bin/env bash
# prometheus/common/expfmt 0.74.0 (Go; what Pushgateway, Telegraf and other tools read pages of metrics with) and the
# parser of Prometheus 3.15.0 (module v0.315.0).
#
# Guess: the parser that the Prometheus project publishes reads the pages that its server scrapes.
#
# Really: a second TYPE or HELP line for a metric, a TYPE line behind the samples and a last line without its end are
# errors of the whole page for expfmt; the server takes all of them.
#
# Matters: such pages come from two exporters whose pages are put one behind the other, and from scripts. `up` is 1 and
# the queries of a MetricTemplate work; behind an agent or a gateway that parses with expfmt the same application has
# no metrics, and a good canary is rolled back for "no values found".
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/prometheus/prometheus/model/textparse@v0.315.0 github.com/prometheus/common@v0.74.0 <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

func server(page string) (samples int, err error) {
	parser := textparse.NewPromParser([]byte(page), labels.NewSymbolTable(), false)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return samples, nil
		} else if err != nil {
			return samples, err
		}
		if entry == textparse.EntrySeries {
			samples++
		}
	}
}

func main() {
	for _, page := range []string{
		"# TYPE a counter\na 1\n",
		"# TYPE a counter\na{x=\"1\"} 1\n# TYPE a counter\na{x=\"2\"} 1\n",
		"# HELP a one\n# HELP a two\na 1\n",
		"a 1\n# TYPE a counter\n",
		"a 1\nb 2",
	} {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		_, refused := parser.TextToMetricFamilies(strings.NewReader(page))
		samples, err := server(page)
		fmt.Printf("%q\n  server: %d samples, %v\n  expfmt: %v\n", page, samples, err, refused)
	}
}
GO
expect <<'END'
"# TYPE a counter\na 1\n"
  server: 1 samples, <nil>
  expfmt: <nil>
"# TYPE a counter\na{x=\"1\"} 1\n# TYPE a counter\na{x=\"2\"} 1\n"
  server: 2 samples, <nil>
  expfmt: text format parsing error in line 3: second TYPE line for metric name "a", or TYPE reported after samples
"# HELP a one\n# HELP a two\na 1\n"
  server: 1 samples, <nil>
  expfmt: text format parsing error in line 2: second HELP line for metric name "a"
"a 1\n# TYPE a counter\n"
  server: 1 samples, <nil>
  expfmt: text format parsing error in line 2: second TYPE line for metric name "a", or TYPE reported after samples
"a 1\nb 2"
  server: 2 samples, <nil>
  expfmt: text format parsing error in line 2: unexpected end of input stream
END
