// Runs the original engines of the languages that Serin supports: one case per line of JSON on standard input, one answer per line on
// standard output. Each case is {engine, text, …}, and each answer has either `value`, `error` or `late`. After a late answer the
// program ends with the status 3, because the engine would go on with that case: whoever asks starts it again for the rest.
// The argument is the time for each case, 10s without it.
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
	Late  bool    `json:"late,omitempty"`
}

const exitLate = 3

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

// patience is limited: templates that call themselves within a loop take an engine minutes until it gives up.
func patience() time.Duration {
	if len(os.Args) < 2 {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(os.Args[1])
	if err != nil {
		panic(err)
	}
	return d
}

// ask waits for an answer for a limited time.
func ask(q question, limit time.Duration) answer {
	answered := make(chan answer, 1)
	go func() { answered <- answerTo(q) }()
	select {
	case out := <-answered:
		return out
	case <-time.After(limit):
		return answer{Late: true}
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
	limit := patience()
	for {
		var q question
		if err := decoder.Decode(&q); err != nil {
			return
		}
		said := ask(q, limit)
		if err := encoder.Encode(said); err != nil {
			panic(err)
		}
		if said.Late {
			out.Flush()
			os.Exit(exitLate)
		}
	}
}
