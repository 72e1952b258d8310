#!/usr/bin/env bash
# lodash 4.18.1, dset 3.1.4, object-path 0.11.8 and flat 6.0.1 (JavaScript).
#
# Guess: set(counts, "codes.500", 1) makes {codes: {500: 1}}: paths are names of members.
#
# Really: a part of a path that is made of digits is an index. If `codes` is not there yet, all four make it a list, of
# 501 entries. In JSON that is 500 times null before the 1. lodash does so for paths that are lists of texts too.
#
# Matters: a bot that counts statuses or error codes this way serves a list where its readers want an object, and an
# average over it counts 500 entries. A patch that sets data.404 of a ConfigMap of error pages is refused by the API
# server. Make the object first, or give the option `object` of flat or setWith() of lodash.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node lodash@4.18.1 dset@3.1.4 object-path@0.11.8 flat@6.0.1 <<'JS'
import { dset } from "dset";
import { unflatten } from "flat";
import lodash from "lodash";
import objectPath from "object-path";

const by = (set) => (start) => {
  set(start, "codes.200", 9);
  set(start, "codes.500", 1);
  return start;
};
const libraries = {
  "lodash.set": by(lodash.set),
  "lodash.set of a list": by((object, path, value) => lodash.set(object, path.split("."), value)),
  "lodash.setWith": by((object, path, value) => lodash.setWith(object, path, value, Object)),
  dset: by(dset),
  "object-path": by(objectPath.set),
  "flat.unflatten": () => unflatten({ "codes.200": 9, "codes.500": 1 }),
  "flat.unflatten, object": () => unflatten({ "codes.200": 9, "codes.500": 1 }, { object: true }),
};
const show = ({ codes }) => (Array.isArray(codes) ? `a list of ${codes.length}` : JSON.stringify(codes));
for (const [name, make] of Object.entries(libraries)) console.log(`${name}: ${show(make({}))}`);
console.log(`lodash.set where codes is an object: ${show(libraries["lodash.set"]({ codes: {} }))}`);
JS
expect <<'END'
lodash.set: a list of 501
lodash.set of a list: a list of 501
lodash.setWith: {"200":9,"500":1}
dset: a list of 501
object-path: a list of 501
flat.unflatten: a list of 501
flat.unflatten, object: {"200":9,"500":1}
lodash.set where codes is an object: {"200":9,"500":1}
END
