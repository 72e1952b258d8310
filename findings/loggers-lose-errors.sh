#!/usr/bin/env bash
# pino 10.4.0, winston 3.19.0 with format.json(), and bunyan 2.0.5 (JavaScript).
#
# Guess: an error that is given to a logger is in the line with its message, and its line has the level "error".
#
# Really: winston writes {"level":"error"} for error(error), without message or stack. Under the name `error` all three
# write an object without its message; `err` works for pino, and for bunyan with its serializers. Behind a text pino
# drops it. The level is 50 for pino and bunyan.
#
# Matters: the log of a canary that fails says "failed" and not why, from the day somebody writes `error` for `err` or
# changes the logger; and a metric made of logs by level="error" counts no failure of a service with pino. Use { err }
# with pino, error(error) and format.errors() with winston, and compare levels with both forms.
#
# Seen, of new Error("timeout"): see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node pino@10.4.0 winston@3.19.0 bunyan@2.0.5 <<'JS'
import { Writable } from "node:stream";
import bunyan from "bunyan";
import pino from "pino";
import winston from "winston";

let line;
const stream = new Writable({
  write(text, encoding, done) {
    line = String(text);
    done();
  },
});
const transports = [new winston.transports.Stream({ stream })];
const { combine, errors, json } = winston.format;
const loggers = {
  pino: pino(stream),
  winston: winston.createLogger({ format: json(), transports }),
  "winston and errors()": winston.createLogger({ format: combine(errors(), json()), transports }),
  bunyan: bunyan.createLogger({ name: "shop", streams: [{ stream }] }),
};
const calls = {
  "error(error)": (logger, error) => logger.error(error),
  'error("failed", error)': (logger, error) => logger.error("failed", error),
  'error with { error } and "failed"': (logger, error, name) => (name.startsWith("winston") ? logger.error("failed", { error }) : logger.error({ error }, "failed")),
  'error with { err: error } and "failed"': (logger, error, name) => (name.startsWith("winston") ? logger.error("failed", { err: error }) : logger.error({ err: error }, "failed")),
};
for (const [call, log] of Object.entries(calls)) {
  for (const [name, logger] of Object.entries(loggers)) {
    line = "";
    log(logger, new Error("timeout"), name);
    await new Promise(setImmediate);
    console.log(`${call}, ${name}: level ${JSON.stringify(JSON.parse(line).level)}, ${line.includes("timeout") ? "with" : "without"} its message`);
  }
}
JS
expect <<'END'
error(error), pino: level 50, with its message
error(error), winston: level "error", without its message
error(error), winston and errors(): level "error", with its message
error(error), bunyan: level 50, with its message
error("failed", error), pino: level 50, without its message
error("failed", error), winston: level "error", with its message
error("failed", error), winston and errors(): level "error", with its message
error("failed", error), bunyan: level 50, with its message
error with { error } and "failed", pino: level 50, without its message
error with { error } and "failed", winston: level "error", without its message
error with { error } and "failed", winston and errors(): level "error", without its message
error with { error } and "failed", bunyan: level 50, without its message
error with { err: error } and "failed", pino: level 50, with its message
error with { err: error } and "failed", winston: level "error", without its message
error with { err: error } and "failed", winston and errors(): level "error", without its message
error with { err: error } and "failed", bunyan: level 50, without its message
END
