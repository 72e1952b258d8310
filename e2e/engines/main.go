// Runs the original engines of the languages that Serin supports: one case per line of JSON on standard input, one answer per line on
// standard output. Each case is {engine, text, …}, and each answer has either `value` or `error`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

type question struct {
	Engine  string            `json:"engine"`
	Text    string            `json:"text"`
	Vars    map[string]string `json:"variables"`
	Values  []*float64        `json:"values"`
	Primary []*float64        `json:"primary"`
	Scalar  bool              `json:"scalar"`
	Doc     string            `json:"document"`
	Secret  string            `json:"secret"`
}

type answer struct {
	Value *string `json:"value,omitempty"`
	Error string  `json:"error,omitempty"`
}

var engines = map[string]func(question) (string, error){
	"template": render,
	"expr":     expression,
	"cel":      common,
	"path":     follow,
	"field":    field,
	"promql":   parse,
	"window":   window,
	"duration": func(q question) (string, error) {
		d, err := time.ParseDuration(q.Text)
		return strconv.FormatInt(d.Nanoseconds(), 10), err
	},
	"quantity": func(q question) (string, error) {
		n, err := resource.ParseQuantity(q.Text)
		if err != nil {
			return "", err
		}
		return strconv.FormatFloat(n.AsApproximateFloat64(), 'g', -1, 64), nil
	},
}

// Templates that call themselves within a loop take an engine minutes until it gives up.
const patience = 10 * time.Second

// ask waits for an answer for a limited time. No answer counts as a refusal.
func ask(q question) answer {
	answered := make(chan answer, 1)
	go func() { answered <- answerTo(q) }()
	select {
	case out := <-answered:
		return out
	case <-time.After(patience):
		return answer{Error: "no answer in time"}
	}
}

// answerTo never panics: a panic of an engine counts as a refusal.
func answerTo(q question) (out answer) {
	defer func() {
		if r := recover(); r != nil {
			out = answer{Error: fmt.Sprintf("panic: %v", r)}
		}
	}()
	value, err := engines[q.Engine](q)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Value: &value}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		var q question
		if err := decoder.Decode(&q); err != nil {
			return
		}
		if err := encoder.Encode(ask(q)); err != nil {
			panic(err)
		}
	}
}
