#!/usr/bin/env bash
# @opentelemetry/resources 2.12.1 (JavaScript), against opentelemetry-sdk 1.45.2 (Python).
#
# Guess: OTEL_RESOURCE_ATTRIBUTES is a list of names and values; of each pair the first "=" separates, and a pair that
# cannot be read is left out.
#
# Really: in JavaScript a single value with "=" or "%" in it takes all attributes away, those of the pod and the version
# too, as the standard asks for what cannot be decoded. Python keeps the pairs around it, and reads "a=b=c" as a: b=c.
#
# Matters: a manifest that fills the variable from labels and annotations works until one of them has such a value, a
# query or Base64 for example. From then on a Node service sends its metrics without k8s.pod.name and service.version:
# canary and primary write the same series, and no check can tell them apart. Write %3D and %25.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/values" <<'END'
service.version=2.0,k8s.pod.name=shop-1
service.version=2.0,k8s.pod.name=shop-1,share=10%
service.version=2.0,k8s.pod.name=shop-1,link=/d?id=7
service.version=2.0,k8s.pod.name=shop-1,link=/d?id%3D7
service.version=2.0,k8s.pod.name=shop-1,note
END
export VALUES="$work/values"
with_node @opentelemetry/resources@2.12.1 <<'JS'
import fs from "node:fs";
import { envDetector } from "@opentelemetry/resources";

for (const value of fs.readFileSync(process.env.VALUES, "utf8").trim().split("\n")) {
  process.env.OTEL_RESOURCE_ATTRIBUTES = value;
  const pairs = Object.entries(envDetector.detect().attributes).map((pair) => pair.join(": "));
  console.log(`JavaScript, ${value.slice(40) || "without more"}: ${pairs.join(", ") || "nothing"}`);
}
JS
with_python opentelemetry-sdk==1.45.2 <<'PY'
import logging
import os

from opentelemetry.sdk.resources import OTELResourceDetector

logging.disable()
with open(os.environ["VALUES"]) as file:
    for value in file.read().splitlines():
        os.environ["OTEL_RESOURCE_ATTRIBUTES"] = value
        pairs = [f"{name}: {text}" for name, text in OTELResourceDetector().detect().attributes.items()]
        print(f"Python, {value[40:] or 'without more'}: {', '.join(pairs) or 'nothing'}")
PY
expect <<'END'
JavaScript, without more: service.version: 2.0, k8s.pod.name: shop-1
JavaScript, share=10%: nothing
JavaScript, link=/d?id=7: nothing
JavaScript, link=/d?id%3D7: service.version: 2.0, k8s.pod.name: shop-1, link: /d?id=7
JavaScript, note: nothing
Python, without more: service.version: 2.0, k8s.pod.name: shop-1
Python, share=10%: service.version: 2.0, k8s.pod.name: shop-1, share: 10%
Python, link=/d?id=7: service.version: 2.0, k8s.pod.name: shop-1, link: /d?id=7
Python, link=/d?id%3D7: service.version: 2.0, k8s.pod.name: shop-1, link: /d?id=7
Python, note: service.version: 2.0, k8s.pod.name: shop-1
END
