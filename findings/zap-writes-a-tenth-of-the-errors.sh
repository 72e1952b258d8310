#!/usr/bin/env bash
# zap 1.28.0, against zerolog 1.35.1 and log/slog (Go).
#
# Guess: a logger made by zap.NewProduction() writes each error.
#
# Really: of lines with the same level and message it writes the first 100 of each second, and of the rest each hundredth.
# The fields do not matter: a thousand errors of a thousand users are 109 lines, and those left out are told nowhere.
# A message that has the user in it is written each time, and so is all by zap.NewDevelopment(), zerolog and slog.
#
# Matters: rates of errors that are counted from log lines (a query of Loki or Elasticsearch as a check) stop growing
# where it gets bad: a canary with 10 times the failures of the primary shows nearly as many. Count by metrics, or set
# Sampling to nil.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go go.uber.org/zap@v1.28.0 github.com/rs/zerolog@v1.35.1 <<'GO'
package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"
	"go.uber.org/zap"
)

func lines(config zap.Config, times int, message func(int) string) int {
	file := filepath.Join(os.TempDir(), fmt.Sprintf("zap-%d.log", os.Getpid()))
	defer os.Remove(file)
	config.OutputPaths = []string{file}
	logger, err := config.Build()
	if err != nil {
		panic(err)
	}
	for user := range times {
		logger.Error(message(user), zap.Int("user", user))
	}
	written, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return bytes.Count(written, []byte(`no answer`))
}

func main() {
	same := func(int) string { return "no answer" }
	other := func(user int) string { return fmt.Sprintf("no answer for %d", user) }
	unsampled := zap.NewProductionConfig()
	unsampled.Sampling = nil
	fmt.Println("zap for production, 100 errors:", lines(zap.NewProductionConfig(), 100, same))
	fmt.Println("zap for production, 1000 errors:", lines(zap.NewProductionConfig(), 1000, same))
	fmt.Println("zap for production, 1000 errors with the user in the message:", lines(zap.NewProductionConfig(), 1000, other))
	fmt.Println("zap for production without Sampling, 1000 errors:", lines(unsampled, 1000, same))
	fmt.Println("zap for development, 1000 errors:", lines(zap.NewDevelopmentConfig(), 1000, same))
	var zero, std bytes.Buffer
	zerologger, slogger := zerolog.New(&zero), slog.New(slog.NewJSONHandler(&std, nil))
	for user := range 1000 {
		zerologger.Error().Int("user", user).Msg("no answer")
		slogger.Error("no answer", "user", user)
	}
	fmt.Println("zerolog, 1000 errors:", bytes.Count(zero.Bytes(), []byte("\n")))
	fmt.Println("slog, 1000 errors:", bytes.Count(std.Bytes(), []byte("\n")))
}
GO
expect <<'END'
zap for production, 100 errors: 100
zap for production, 1000 errors: 109
zap for production, 1000 errors with the user in the message: 1000
zap for production without Sampling, 1000 errors: 1000
zap for development, 1000 errors: 1000
zerolog, 1000 errors: 1000
slog, 1000 errors: 1000
END
