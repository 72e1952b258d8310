#!/usr/bin/env bash
# protobufjs 8.8.1 (JavaScript), against protobuf 7.35.1 (Python).
#
# Guess: toJSON() writes the JSON of Protocol Buffers, as it does for int64, bytes and NaN: a duration is "90s", a wrapped
# number 90.
#
# Really: it knows none of the well-known types but Any. A duration is {"seconds":"90"}, a wrapped number {"value":90}, and
# fromObject() refuses what others write. protobuf for Python refuses what protobufjs writes.
#
# Matters: a tool in JavaScript that writes the configuration of Envoy, whose timeouts are durations and whose weights of
# clusters are wrapped numbers, or a resource of a mesh made from such messages, has it refused as soon as it sets one of
# these. Convert the fields yourself, or take @bufbuild/protobuf.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node protobufjs@8.8.1 <<'JS'
import protobuf from "protobufjs";

const root = new protobuf.Root();
for (const name of ["duration", "wrappers"]) root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`).nested);
protobuf.parse(`syntax = "proto3";
  message Route {
    google.protobuf.Duration timeout = 1;
    google.protobuf.UInt32Value weight = 2;
    int64 requests = 3;
    double rate = 4;
  }`, root);
const Route = root.lookupType("Route");
console.log(JSON.stringify(Route.fromObject({ timeout: { seconds: 90 }, weight: { value: 90 }, requests: 5, rate: NaN })));
try {
  Route.fromObject({ timeout: "90s" });
} catch (error) {
  console.log(`"90s": ${error.message}`);
}
JS
with_python protobuf==7.35.1 <<'PY'
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import UInt32Value

print(json_format.MessageToJson(Duration(seconds=90)), json_format.MessageToJson(UInt32Value(value=90)))
for text, message in (('{"seconds":"90"}', Duration()), ('{"value":90}', UInt32Value())):
    try:
        print(f"{text}: {json_format.Parse(text, message)}")
    except json_format.ParseError:
        print(f"{text}: refused")
PY
expect <<'END'
{"timeout":{"seconds":"90"},"weight":{"value":90},"requests":"5","rate":"NaN"}
"90s": .Route.timeout: object expected
"90s" 90
{"seconds":"90"}: refused
{"value":90}: refused
END
