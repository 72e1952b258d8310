package main

import (
	"errors"
	"regexp"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// parse says how Prometheus understands a query: in its own form, without comments and blanks.
func parse(q question) (string, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(q.Text)
	if err != nil {
		return "", err
	}
	return expr.String(), nil
}

// interval of a metric, by the pattern of Flagger's own definition.
var interval = regexp.MustCompile("^[0-9]+(m|s)")

// window says whether Flagger takes an interval, and the server that its query goes to as well.
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
