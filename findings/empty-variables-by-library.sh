#!/usr/bin/env bash
# sethvargo/go-envconfig 1.4.3, caarlos0/env 11.4.2 and kelseyhightower/envconfig 1.4.0 (Go), envalid 8.2.0, env-var 7.5.0 and
# convict 6.2.5 (JavaScript), python-decouple 3.8, django-environ 0.14.0 and pydantic-settings 2.16.3 (Python).
#
# Guess: a variable that is set to nothing is taken as not set, so that its default counts, or is refused.
#
# Really: go-envconfig takes an empty limit for 0, an empty interval for 0 s and an empty switch for false, without an error.
# decouple and django-environ refuse the limit and take the switch for False. convict refuses the limit and takes the switch
# for true, also where its default is false. caarlos0/env gives the defaults. The others refuse.
#
# Matters: a chart renders `value: ""` for a setting that nobody gave. The limit of failures is then 0, the interval none, or
# a gate is switched off, in a service whose documentation names other defaults. Leave the variable out of the manifest.
#
# Seen, with the defaults 5, 30s and true: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export LIMIT="" INTERVAL="" GATE=""
with_go github.com/sethvargo/go-envconfig@v1.4.3 github.com/caarlos0/env/v11@v11.4.2 github.com/kelseyhightower/envconfig@v1.4.0 <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/kelseyhightower/envconfig"
	sethvargo "github.com/sethvargo/go-envconfig"
)

type limit struct {
	Limit int `default:"5" envDefault:"5" env:"LIMIT"`
}
type interval struct {
	Interval time.Duration `default:"30s" envDefault:"30s" env:"INTERVAL"`
}
type gate struct {
	Gate bool `default:"true" envDefault:"true" env:"GATE"`
}
type sethvargoSettings struct {
	Limit    int           `env:"LIMIT, default=5"`
	Interval time.Duration `env:"INTERVAL, default=30s"`
	Gate     bool          `env:"GATE, default=true"`
}

func show(value any, err error) string {
	if err != nil {
		return "refused"
	}
	return fmt.Sprintf("%+v", value)
}

func main() {
	var settings sethvargoSettings
	err := sethvargo.Process(context.Background(), &settings)
	fmt.Println("go-envconfig:", show(settings, err))
	var l limit
	var i interval
	var g gate
	errL, errI, errG := env.Parse(&l), env.Parse(&i), env.Parse(&g)
	fmt.Println("caarlos0/env:", show(l, errL), show(i, errI), show(g, errG))
	errL, errI, errG = envconfig.Process("", &l), envconfig.Process("", &i), envconfig.Process("", &g)
	fmt.Println("kelseyhightower/envconfig:", show(l, errL), show(i, errI), show(g, errG))
}
GO
with_node envalid@8.2.0 env-var@7.5.0 convict@6.2.5 <<'JS'
import convict from "convict";
import envVar from "env-var";
import { bool, cleanEnv, num } from "envalid";

const outcome = (read) => {
  try {
    return JSON.stringify(read());
  } catch {
    return "refused";
  }
};
const reporter = ({ errors }) => {
  if (Object.keys(errors).length > 0) throw new Error("refused");
};
const one = (name, format, value) => convict({ it: { format, default: value, env: name } }).validate().get("it");
console.log("envalid:", outcome(() => cleanEnv(process.env, { LIMIT: num({ default: 5 }) }, { reporter }).LIMIT),
  outcome(() => cleanEnv(process.env, { GATE: bool({ default: true }) }, { reporter }).GATE));
console.log("env-var:", outcome(() => envVar.get("LIMIT").default("5").asInt()), outcome(() => envVar.get("GATE").default("true").asBool()));
console.log("convict:", outcome(() => one("LIMIT", "int", 5)), outcome(() => one("GATE", Boolean, true)));
console.log("convict, default false:", outcome(() => one("GATE", Boolean, false)));
JS
with_python python-decouple==3.8 django-environ==0.14.0 pydantic-settings==2.16.3 pydantic==2.14.4 <<'PY'
import decouple
import environ
import pydantic_settings


def outcome(read):
    try:
        return read()
    except Exception:
        return "refused"


def settings(kind, default):
    return type("Settings", (pydantic_settings.BaseSettings,), {"__annotations__": kind, **default})()


print("decouple:", outcome(lambda: decouple.config("LIMIT", default=5, cast=int)), outcome(lambda: decouple.config("GATE", default=True, cast=bool)))
print("django-environ:", outcome(lambda: environ.Env().int("LIMIT", 5)), outcome(lambda: environ.Env().bool("GATE", True)))
print("pydantic-settings:", outcome(lambda: settings({"limit": int}, {"limit": 5}).limit), outcome(lambda: settings({"gate": bool}, {"gate": True}).gate))
PY
expect <<'END'
go-envconfig: {Limit:0 Interval:0s Gate:false}
caarlos0/env: {Limit:5} {Interval:30s} {Gate:true}
kelseyhightower/envconfig: refused refused refused
envalid: refused refused
env-var: refused refused
convict: refused true
convict, default false: true
decouple: refused False
django-environ: refused False
pydantic-settings: refused refused
END
