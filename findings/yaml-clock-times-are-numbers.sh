#!/usr/bin/env bash
# PyYAML 6.0.4 (Python) and SnakeYAML 2.5 (Java), against js-yaml 5.5.0 and yaml 2.9.1 (JavaScript), sigs.k8s.io/yaml 1.6.0
# (Go), ruamel.yaml 0.19.1 (Python).
#
# Guess: `from: 22:30` and `to: 06:00` are two texts, or two of something else.
#
# Really: PyYAML and SnakeYAML read 22:30 as a number in base 60, 1350, and 06:00 as a text, as a number there has no leading
# zero. kubectl and the libraries for YAML 1.2 read two texts. 10:00:00 is 36000.
#
# Matters: a bot in Python or Java that lets canaries run in a window from a ConfigMap fails for the evening and works in the
# morning, or compares 1350 with hours. The same line is a text in the cluster. Put clock times in quotes.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/times" <<'TXT'
from: 22:30
to: 06:00
at: 10:00:00
port: 8080:80
TXT
export TIMES="$work/times"
with_python PyYAML==6.0.4 ruamel.yaml==0.19.1 <<'PY'
import os

import ruamel.yaml
import yaml

with open(os.environ["TIMES"]) as file:
    text = file.read()
print("PyYAML:", yaml.safe_load(text))
print("ruamel.yaml:", dict(ruamel.yaml.YAML(typ="safe").load(text)))
PY
with_node js-yaml@5.5.0 yaml@2.9.1 <<'JS'
import fs from "node:fs";
import { load } from "js-yaml";
import { parse } from "yaml";

const text = fs.readFileSync(process.env.TIMES, "utf8");
console.log("js-yaml:", JSON.stringify(load(text)));
console.log("yaml:", JSON.stringify(parse(text)));
JS
with_go sigs.k8s.io/yaml@v1.6.0 <<'GO'
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	text, err := os.ReadFile(os.Getenv("TIMES"))
	if err != nil {
		panic(err)
	}
	json, err := yaml.YAMLToJSON(text)
	fmt.Println("sigs.k8s.io/yaml:", string(json), err)
}
GO
with_java org.yaml:snakeyaml:2.5 <<'JAVA'
import java.nio.file.*;
import java.util.*;
import org.yaml.snakeyaml.Yaml;

class Main {
  public static void main(String[] arguments) throws Exception {
    Map<String, Object> read = new Yaml().load(Files.readString(Path.of(System.getenv("TIMES"))));
    read.forEach((name, value) -> System.out.println("SnakeYAML: " + name + " " + value + " " + value.getClass().getSimpleName()));
  }
}
JAVA
expect <<'END'
PyYAML: {'from': 1350, 'to': '06:00', 'at': 36000, 'port': '8080:80'}
ruamel.yaml: {'from': '22:30', 'to': '06:00', 'at': '10:00:00', 'port': '8080:80'}
js-yaml: {"from":"22:30","to":"06:00","at":"10:00:00","port":"8080:80"}
yaml: {"from":"22:30","to":"06:00","at":"10:00:00","port":"8080:80"}
sigs.k8s.io/yaml: {"at":"10:00:00","from":"22:30","port":"8080:80","to":"06:00"} <nil>
SnakeYAML: from 1350 Integer
SnakeYAML: to 06:00 String
SnakeYAML: at 36000 Integer
SnakeYAML: port 8080:80 String
END
