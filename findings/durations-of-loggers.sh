#!/usr/bin/env bash
# log/slog of Go 1.26, zap 1.28.0, zerolog 1.35.1 and logrus 1.10.2 (Go).
#
# Guess: a time.Duration in a line of JSON is "1.5s", as in text, or at least in one unit, since it is one type.
#
# Really: 1.5 s is 1500000000 for slog and logrus, 1.5 for zap, "1.5s" for zap in development, 1500 for zerolog's Dur()
# and 1500000000 for its Any().
#
# Matters: where durations are taken from logs, as by `unwrap duration` of Loki or a metric made of lines, a release that
# only changes its logger is a thousand million times slower, or faster, and is rolled back or passes whatever it does.
# Log seconds as a float under a name with the unit.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go go.uber.org/zap@v1.28.0 github.com/rs/zerolog@v1.35.1 github.com/sirupsen/logrus@v1.10.2 <<'GO'
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/rs/zerolog"
	"github.com/sirupsen/logrus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func main() {
	took := 1500 * time.Millisecond
	show := func(name string, log func(*bytes.Buffer)) {
		var line bytes.Buffer
		log(&line)
		var fields map[string]json.RawMessage
		json.Unmarshal(line.Bytes(), &fields)
		fmt.Println(name, string(fields["took"]))
	}
	withZap := func(config zapcore.EncoderConfig) func(*bytes.Buffer) {
		return func(out *bytes.Buffer) {
			zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(config), zapcore.AddSync(out), zap.InfoLevel)).Info("", zap.Duration("took", took))
		}
	}
	show("slog", func(out *bytes.Buffer) { slog.New(slog.NewJSONHandler(out, nil)).Info("", "took", took) })
	show("zap, production", withZap(zap.NewProductionEncoderConfig()))
	show("zap, development", withZap(zap.NewDevelopmentEncoderConfig()))
	show("zerolog Dur", func(out *bytes.Buffer) { log := zerolog.New(out); log.Info().Dur("took", took).Send() })
	show("zerolog Any", func(out *bytes.Buffer) { log := zerolog.New(out); log.Info().Any("took", took).Send() })
	show("logrus", func(out *bytes.Buffer) {
		log := logrus.New()
		log.SetOutput(out)
		log.SetFormatter(&logrus.JSONFormatter{})
		log.WithField("took", took).Info("")
	})
}
GO
expect <<'END'
slog 1500000000
zap, production 1.5
zap, development "1.5s"
zerolog Dur 1500
zerolog Any 1500000000
logrus 1500000000
END
