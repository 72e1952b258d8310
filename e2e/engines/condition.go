package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// numbers returns the numbers of a case. null means NaN, because JSON has no NaN.
func numbers(values []*float64) []float64 {
	all := make([]float64, len(values))
	for i, v := range values {
		all[i] = math.NaN()
		if v != nil {
			all[i] = *v
		}
	}
	return all
}

// expression evaluates like Argo Rollouts: with expr and its own functions.
func expression(q question) (string, error) {
	list, primary := numbers(q.Values), numbers(q.Primary)
	var result, other any = list, primary
	if q.Scalar {
		result, other = any(nil), any(nil)
		if len(list) > 0 {
			result = list[0]
		}
		if len(primary) > 0 {
			other = primary[0]
		}
	}
	isNil := func(in any) bool { return in == nil }
	env := map[string]any{
		"result": result, "canary": result, "primary": other,
		"isNaN": math.IsNaN, "isInf": func(f float64) bool { return math.IsInf(f, 0) }, "isNil": isNil,
		"asInt": func(in any) (int64, error) {
			switch n := in.(type) {
			case float64:
				return int64(n), nil
			case int:
				return int64(n), nil
			case int64:
				return n, nil
			}
			return 0, errors.New("no number")
		},
		"asFloat": func(in any) (float64, error) {
			switch n := in.(type) {
			case float64:
				return n, nil
			case int:
				return float64(n), nil
			case int64:
				return float64(n), nil
			}
			return 0, errors.New("no number")
		},
		"default": func(in, instead any) any {
			if isNil(in) {
				return instead
			}
			return in
		},
	}
	program, err := expr.Compile(q.Text, expr.Env(env), expr.AsBool())
	if err != nil {
		return "", err
	}
	out, err := expr.Run(program, env)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(out), nil
}

var (
	size = regexp.MustCompile(`\bsize\(`)
	// the text before a list, unless the list is an index of another one
	in = regexp.MustCompile(`\bin *$`)
	// the text that may follow the first digits of a number
	fraction = regexp.MustCompile(`^(\.[0-9]*)?([eE][-+]?[0-9]+)?`)
)

// fractions writes whole numbers as fractions, except for indexes of lists: Serin's conditions have only one kind of number.
func fractions(text string) string {
	var out strings.Builder
	var brackets []bool
	before := ' '
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '[':
			behind := before == ']' || before == ')' || before == '_' || isLetter(before)
			brackets = append(brackets, behind && !in.MatchString(text[:i]))
		case c == ']' && len(brackets) > 0:
			brackets = brackets[:len(brackets)-1]
		case isDigit(c) && !isLetter(before) && before != '_' && before != '.' && !isDigit(byte(before)):
			end := i
			for end < len(text) && isDigit(text[end]) {
				end++
			}
			whole := end == len(text) || text[end] != '.' && !isLetter(rune(text[end]))
			out.WriteString(text[i:end])
			if whole && (len(brackets) == 0 || !brackets[len(brackets)-1]) {
				out.WriteString(".0")
			}
			if !whole {
				rest := fraction.FindString(text[end:])
				out.WriteString(rest)
				end += len(rest)
			}
			before, i = '0', end
			continue
		}
		if c != ' ' {
			before = rune(c)
		}
		out.WriteByte(c)
		i++
	}
	return out.String()
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// common evaluates in the Common Expression Language, with the functions that Serin adds.
func common(q question) (string, error) {
	kind := cel.ListType(cel.DoubleType)
	if q.Scalar {
		kind = cel.DoubleType
	}
	list := []*cel.Type{cel.ListType(cel.DoubleType)}
	of := func(name string, atLeast int, fold func([]float64) float64) cel.EnvOption {
		return cel.Function(name, cel.Overload(name+"_list", list, cel.DoubleType, cel.UnaryBinding(func(v ref.Val) ref.Val {
			var all []float64
			for it := v.(traits.Lister).Iterator(); it.HasNext() == types.True; {
				all = append(all, float64(it.Next().(types.Double)))
			}
			if len(all) < atLeast {
				return types.NewErr("no value")
			}
			return types.Double(fold(all))
		})))
	}
	asks := func(name string, ask func(float64) bool) cel.EnvOption {
		return cel.Function(name, cel.Overload(name+"_double", []*cel.Type{cel.DoubleType}, cel.BoolType, cel.UnaryBinding(func(v ref.Val) ref.Val {
			return types.Bool(ask(float64(v.(types.Double))))
		})))
	}
	sum := func(all []float64) (total float64) {
		for _, n := range all {
			total += n
		}
		return total
	}
	env, err := cel.NewEnv(
		cel.Variable("result", kind), cel.Variable("canary", kind), cel.Variable("primary", kind),
		of("len", 0, func(all []float64) float64 { return float64(len(all)) }),
		of("sum", 0, sum), of("mean", 0, func(all []float64) float64 { return sum(all) / float64(len(all)) }),
		of("min", 1, func(all []float64) float64 { return fold(all, math.Min) }),
		of("max", 1, func(all []float64) float64 { return fold(all, math.Max) }),
		asks("isNaN", math.IsNaN), asks("isInf", func(f float64) bool { return math.IsInf(f, 0) }),
	)
	if err != nil {
		return "", err
	}
	ast, issues := env.Compile(size.ReplaceAllString(fractions(q.Text), "len("))
	if issues.Err() != nil {
		return "", issues.Err()
	}
	program, err := env.Program(ast)
	if err != nil {
		return "", err
	}
	values, primary := numbers(q.Values), numbers(q.Primary)
	vars := map[string]any{"result": values, "canary": values, "primary": primary}
	if q.Scalar {
		if len(values) == 0 || len(primary) == 0 {
			return "", errors.New("no value")
		}
		vars = map[string]any{"result": values[0], "canary": values[0], "primary": primary[0]}
	}
	out, _, err := program.Eval(vars)
	if err != nil {
		return "", err
	}
	if out, ok := out.Value().(bool); ok {
		return strconv.FormatBool(out), nil
	}
	return "", fmt.Errorf("%v is not true or false", out)
}

// fold needs at least one number.
func fold(all []float64, with func(a, b float64) float64) float64 {
	found := all[0]
	for _, n := range all {
		found = with(found, n)
	}
	return found
}
