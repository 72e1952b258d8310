package main

import (
	"errors"
	"regexp"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// parse returns a query in Prometheus's own form, without comments and blanks.
func parse(q question) (string, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(q.Text)
	if err != nil {
		return "", err
	}
	return expr.String(), nil
}

// interval is the pattern for the interval of a metric in Flagger's definition.
var interval = regexp.MustCompile("^[0-9]+(m|s)")

// window checks whether Flagger accepts an interval, and whether the metrics server does.
func window(q question) (string, error) {
	if !interval.MatchString(q.Text) {
		return "", errors.New("it is not of Flagger's pattern")
	}
	if q.Doc == "prometheus" {
		if _, err := model.ParseDuration(q.Text); err != nil {
			return "", err
		}
	}
	return "taken", nil
}
