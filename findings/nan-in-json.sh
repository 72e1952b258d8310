#!/usr/bin/env bash
# Flask 3.1.3 and orjson 3.13.0 (Python), Node's JSON, com.fasterxml.jackson.core:jackson-databind 2.19.0 (Java),
# encoding/json (Go), serde_json 1 (Rust).
#
# Guess: an error rate of 0/0 is written the same way, as null, or is refused, since JSON has no NaN.
#
# Really: Flask writes NaN, which is no JSON; orjson, Node and serde_json write null; Jackson writes the text "NaN";
# Go fails.
#
# Matters: for a metric of type web the same absence of traffic is an answer that cannot be read in one language (the
# run freezes), no data in three, and text in another. Write null where there were no requests.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python Flask==3.1.3 orjson==3.13.0 <<'PY'
import flask
import orjson

with flask.Flask("seen").app_context():
    print("Flask", flask.jsonify(rate=float("nan")).get_data(as_text=True).strip())
print("orjson", orjson.dumps({"rate": float("nan")}).decode())
PY
with_node <<'JS'
console.log("Node", JSON.stringify({ rate: 0 / 0 }));
JS
with_java com.fasterxml.jackson.core:jackson-databind:2.19.0 <<'JAVA'
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;

public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println("Jackson " + new ObjectMapper().writeValueAsString(Map.of("rate", Double.NaN)));
    }
}
JAVA
with_go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"math"
)

func main() {
	_, err := json.Marshal(map[string]float64{"rate": math.NaN()})
	fmt.Println("Go", err)
}
GO
with_cargo serde_json@1 <<'RUST'
fn main() {
    println!("serde_json {}", serde_json::json!({"rate": f64::NAN}));
}
RUST
expect <<'END'
Flask {"rate":NaN}
orjson {"rate":null}
Node {"rate":null}
Jackson {"rate":"NaN"}
Go json: unsupported value: NaN
serde_json {"rate":null}
END
