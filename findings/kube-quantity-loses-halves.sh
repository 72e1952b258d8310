#!/usr/bin/env bash
# kube_quantity 0.9.0 (Rust).
#
# Guess: to_bytes_i64() of "1.5Gi" is 1610612736, of "2000m" 2, and sums are exact whatever the units.
#
# Really: the number in front of the unit loses its fraction first: "1.5Gi" is 1073741824, "0.5Gi" is 0. With m, u or n it is
# None, for whole numbers too. Sums of binary and decimal units are rounded to seven digits: 0 and 1Gi are 1073742000,
# and 1Gi and 0 are 1073741824. "1E" is refused. to_bytes_f64() is right.
#
# Matters: an operator or a scaler in Rust that adds up the memory of a canary's pods takes 1.5Gi for one, finds no room
# where there is some, and sees a change in each sum that begins at "0". Take to_bytes_f64(), and begin with the first of
# the values.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
mkdir -p "$work/cargo/src"
cat >"$work/cargo/Cargo.toml" <<'TOML'
[package]
name = "seen"
edition = "2024"

[dependencies]
k8s-openapi = { version = "=0.29.0", default-features = false, features = ["v1_37"] }

[profile.dev]
debug = false
TOML
with_cargo kube_quantity@=0.9.0 <<'RUST'
use kube_quantity::ParsedQuantity;

fn main() {
    for text in ["1.5Gi", "0.5Gi", "1536Mi", "2000m", "1E"] {
        match ParsedQuantity::try_from(text) {
            Ok(quantity) => println!("{text}: {:?}, {:?}", quantity.to_bytes_i64(), quantity.to_bytes_f64()),
            Err(error) => println!("{text}: {error}"),
        }
    }
    let quantity = |text| ParsedQuantity::try_from(text).unwrap();
    for (a, b) in [("0", "1Gi"), ("1Gi", "0"), ("1", "1Ki")] {
        println!("{a} + {b}: {}", quantity(a) + quantity(b));
    }
}
RUST
expect <<'END'
1.5Gi: Some(1073741824), Some(1610612736.0)
0.5Gi: Some(0), Some(536870912.0)
1536Mi: Some(1610612736), Some(1610612736.0)
2000m: None, Some(2.0)
1E: quantity parsing failed
0 + 1Gi: 1073742000
1Gi + 0: 1073741824
1 + 1Ki: 1025.0001
END
