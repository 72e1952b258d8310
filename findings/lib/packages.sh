# Sourced by the scripts about libraries. Each with_* runs the program on standard input with the given packages, in a
# temporary folder, which goes when the script ends. `expect` compares all they printed with what was seen when the
# script was written, and fails if it differs.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# with_python <package==version>...
with_python() {
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --upgrade --target "$work/python" "$@"
  PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$work/python" python3 - | tee -a "$work/seen"
}

# with_node <package@version>...
with_node() {
  mkdir -p "$work/node"
  [ $# = 0 ] || npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work/node" "$@" >"$work/npm.log"
  cat >"$work/node/main.mjs"
  node "$work/node/main.mjs" | tee -a "$work/seen"
}

# with_go <package@version>...
with_go() {
  mkdir -p "$work/go"
  cat >"$work/go/main.go"
  (
    cd "$work/go"
    export GOFLAGS=-mod=mod
    [ -f go.mod ] || go mod init seen 2>"$work/go.log"
    [ $# = 0 ] || go get "$@" 2>"$work/go.log" || { cat "$work/go.log" >&2; exit 1; }
    go run . | tee -a "$work/seen"
  )
}

# with_cargo <package@version>...
with_cargo() {
  mkdir -p "$work/cargo/src"
  cat >"$work/cargo/src/main.rs"
  (
    cd "$work/cargo"
    export CARGO_TARGET_DIR="$work/target"
    [ -f Cargo.toml ] || printf '[package]\nname = "seen"\nedition = "2024"\n' >Cargo.toml
    cargo add --quiet "$@" 2>"$work/cargo.log" || { cat "$work/cargo.log" >&2; exit 1; }
    cargo run --quiet | tee -a "$work/seen"
  )
}

# with_java <group:artifact:version>...; the class is called Main
with_java() {
  mkdir -p "$work/java"
  cat >"$work/java/Main.java"
  {
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>seen</groupId><artifactId>seen</artifactId><version>1</version><dependencies>'
    printf '%s\n' "$@" | sed 's#\(.*\):\(.*\):\(.*\)#<dependency><groupId>\1</groupId><artifactId>\2</artifactId><version>\3</version></dependency>#'
    echo '</dependencies></project>'
  } >"$work/java/pom.xml"
  mvn -q -B -f "$work/java/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/java/lib" >"$work/mvn.log" 2>&1 || { cat "$work/mvn.log" >&2; exit 1; }
  java -cp "$work/java/lib/*" "$work/java/Main.java" 2>"$work/java.log" | tee -a "$work/seen"
}

# expect <<'EOF' (all that was printed so far)
expect() {
  diff -u --label expected --label seen - "$work/seen"
}
