// Evaluates PromQL over samples in the notation of promtool's unit tests: a block `load <interval>`, then lines
// `<seconds> <expression>`. Prints each result on one line.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	must(err)
	series, questions, _ := strings.Cut(string(text), "\n\n")
	loader, err := promqltest.NewLazyLoader(series, promqltest.LazyLoaderOpts{})
	must(err)
	defer loader.Close()
	loader.WithSamplesTill(time.Unix(1<<20, 0), must)

	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1e6, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		Parser:                   parser.NewParser(parser.Options{EnableExtendedRangeSelectors: true}),
	})
	lines := bufio.NewScanner(strings.NewReader(questions))
	for lines.Scan() {
		at, expression, found := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if !found {
			continue
		}
		since, err := time.ParseDuration(at)
		must(err)
		query, err := engine.NewInstantQuery(context.Background(), loader.Queryable(), nil, expression, time.Unix(0, 0).Add(since))
		must(err)
		result := query.Exec(context.Background())
		must(result.Err)
		fmt.Printf("%s = %s\n", expression, plain(result))
	}
}

// plain is the value of a result without its time.
func plain(result *promql.Result) string {
	var values []string
	switch value := result.Value.(type) {
	case promql.Scalar:
		return fmt.Sprint(value.V)
	case promql.Vector:
		for _, sample := range value {
			values = append(values, strings.TrimPrefix(fmt.Sprintf("%s %.6g", sample.Metric, sample.F), "{} "))
		}
	default:
		return value.String()
	}
	if len(values) == 0 {
		return "nothing"
	}
	return strings.Join(values, "; ")
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
