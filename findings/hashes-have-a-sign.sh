#!/usr/bin/env bash
# crc-32 1.2.2 and murmurhash 2.0.1 (JavaScript), mmh3 5.3.1 (Python), spaolacci/murmur3 1.1.0 (Go).
#
# Guess: `hash(user) % 100 < 10` chooses a tenth of the users, and with one hash function the same ones in each language.
#
# Really: crc-32 gives a number with a sign, and JavaScript's % keeps it: all users below 0 are below 10 too, and 54 % are
# chosen. mmh3 has a sign as well; Python's % makes a positive number of it, but another one, so that a fifth of those whom
# murmurhash chooses are left out.
#
# Matters: a release meant for a tenth of the users goes to more than a half; and a user whom the service in Python takes
# for the canary is none for the one behind it. Write `>>> 0` behind crc-32, and signed=False for mmh3.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node crc-32@1.2.2 murmurhash@2.0.1 <<'JS'
import CRC32 from "crc-32";
import murmurhash from "murmurhash";

const users = Array.from({ length: 10000 }, (_, number) => `user-${number}`);
const chosen = (name, hash) => {
  const below = users.filter((user) => hash(user) % 100 < 10);
  console.log(`${name}: ${below.length} of 10000, first ${below.slice(0, 4).join(" ")}`);
};
chosen("crc-32", (user) => CRC32.str(user));
chosen("crc-32 >>> 0", (user) => CRC32.str(user) >>> 0);
chosen("murmurhash", (user) => murmurhash.v3(user));
JS
with_go github.com/spaolacci/murmur3@v1.1.0 <<'GO'
package main

import (
	"fmt"
	"strings"

	"github.com/spaolacci/murmur3"
)

func main() {
	var below []string
	for number := range 10000 {
		user := fmt.Sprintf("user-%d", number)
		if murmur3.Sum32([]byte(user))%100 < 10 {
			below = append(below, user)
		}
	}
	fmt.Printf("murmur3 (Go): %d of 10000, first %s\n", len(below), strings.Join(below[:4], " "))
}
GO
with_python mmh3==5.3.1 <<'PY'
import mmh3

users = [f"user-{number}" for number in range(10000)]
signed = [user for user in users if mmh3.hash(user) % 100 < 10]
unsigned = [user for user in users if mmh3.hash(user, signed=False) % 100 < 10]
print(f"mmh3: {len(signed)} of 10000, first {' '.join(signed[:4])}")
print(f"mmh3, signed=False: {len(unsigned)} of 10000, first {' '.join(unsigned[:4])}")
print(f"chosen by both: {len(set(signed) & set(unsigned))}")
PY
expect <<'END'
crc-32: 5404 of 10000, first user-2 user-3 user-6 user-7
crc-32 >>> 0: 1012 of 10000, first user-35 user-47 user-51 user-59
murmurhash: 980 of 10000, first user-5 user-14 user-16 user-20
murmur3 (Go): 980 of 10000, first user-5 user-14 user-16 user-20
mmh3: 995 of 10000, first user-14 user-16 user-23 user-24
mmh3, signed=False: 980 of 10000, first user-5 user-14 user-16 user-20
chosen by both: 802
END
