#!/usr/bin/env bash
# logrus 1.10.2, against log/slog of Go 1.26, zap 1.28.0 and zerolog 1.35.1 (Go).
#
# Guess: a line with a field that JSON cannot express, as NaN, is written with a text or null in its place.
#
# Really: logrus with its JSONFormatter writes nothing of the line to the log; "Failed to format entry" goes to standard
# error, without the message. The other three write the line.
#
# Matters: 0/0 is what a check without traffic computes. The one line that says why a canary was rolled back, with the
# value beside it, is missing, and an alert on such lines stays silent. Ask math.IsNaN before, or log the text.
#
# Seen, the message that was logged with NaN and with a number: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go go.uber.org/zap@v1.28.0 github.com/rs/zerolog@v1.35.1 github.com/sirupsen/logrus@v1.10.2 2>/dev/null <<'GO'
package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"

	"github.com/rs/zerolog"
	"github.com/sirupsen/logrus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func main() {
	for _, rate := range []float64{math.NaN(), 0.5} {
		show := func(name string, log func(*bytes.Buffer)) {
			var out bytes.Buffer
			log(&out)
			fmt.Printf("%s, %v: rolled back is written: %v\n", name, rate, bytes.Contains(out.Bytes(), []byte("rolled back")))
		}
		show("logrus", func(out *bytes.Buffer) {
			log := logrus.New()
			log.SetOutput(out)
			log.SetFormatter(&logrus.JSONFormatter{})
			log.WithField("rate", rate).Warn("rolled back")
		})
		show("slog", func(out *bytes.Buffer) { slog.New(slog.NewJSONHandler(out, nil)).Warn("rolled back", "rate", rate) })
		show("zap", func(out *bytes.Buffer) {
			encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
			zap.New(zapcore.NewCore(encoder, zapcore.AddSync(out), zap.InfoLevel)).Warn("rolled back", zap.Float64("rate", rate))
		})
		show("zerolog", func(out *bytes.Buffer) { log := zerolog.New(out); log.Warn().Float64("rate", rate).Msg("rolled back") })
	}
}
GO
expect <<'END'
logrus, NaN: rolled back is written: false
slog, NaN: rolled back is written: true
zap, NaN: rolled back is written: true
zerolog, NaN: rolled back is written: true
logrus, 0.5: rolled back is written: true
slog, 0.5: rolled back is written: true
zap, 0.5: rolled back is written: true
zerolog, 0.5: rolled back is written: true
END
