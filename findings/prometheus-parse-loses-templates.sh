#!/usr/bin/env bash
# prometheus-parse 0.2.5 (Rust), against prometheus_client 0.26.0 (Python).
#
# Guess: a parser of pages of metrics reads every label, or says that it cannot.
#
# Really: it looks for braces and commas without regard to quotes. A label like "/users/{id}" makes the whole series vanish,
# "a,b" is cut to "a", an escaped quote stays escaped, and `{ code = "500" }` has a label with blanks around its name.
# No error is told.
#
# Matters: routes with parameters are in the labels of most web frameworks, so that a tool in Rust that checks or passes
# on the metrics of a canary leaves out just those, failures too.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/page" <<'TXT'
a{path="/users"} 1
b{path="/users/{id}"} 2
c{path="/users/1,2"} 3
d{path="say \"hello\""} 4
e{ code = "500" } 5
TXT
cd "$work"
with_cargo prometheus-parse@=0.2.5 <<'RUST'
fn main() {
    let page = std::fs::read_to_string("../page").unwrap();
    let read = prometheus_parse::Scrape::parse(page.lines().map(|line| Ok(line.to_string()))).unwrap();
    for sample in read.samples {
        println!("Rust: {} {:?}", sample.metric, sample.labels);
    }
}
RUST
with_python prometheus_client==0.26.0 <<'PY'
from prometheus_client.parser import text_string_to_metric_families

with open("page") as page:
    for family in text_string_to_metric_families(page.read()):
        for sample in family.samples:
            print("Python:", sample.name, sample.labels)
PY
expect <<'END'
Rust: a Labels({"path": "/users"})
Rust: c Labels({"path": "/users/1"})
Rust: d Labels({"path": "say \\\"hello\\"})
Rust: e Labels({" code ": " \"500\" "})
Python: a {'path': '/users'}
Python: b {'path': '/users/{id}'}
Python: c {'path': '/users/1,2'}
Python: d {'path': 'say "hello"'}
Python: e {'code': '500'}
END
