// Prints what the parser of Prometheus makes of the queries in the file that QUERIES names, one a line.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

func main() {
	file, err := os.Open(os.Getenv("QUERIES"))
	if err != nil {
		panic(err)
	}
	prometheus := parser.NewParser(parser.Options{})
	for queries := bufio.NewScanner(file); queries.Scan(); {
		read, err := prometheus.ParseExpr(queries.Text())
		if err != nil {
			_, reason, _ := strings.Cut(err.Error(), "parse error: ")
			fmt.Printf("Prometheus: %s: refused, %s\n", queries.Text(), reason)
			continue
		}
		fmt.Printf("Prometheus: %s: %s\n", queries.Text(), read)
	}
}
