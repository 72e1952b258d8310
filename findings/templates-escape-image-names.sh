#!/usr/bin/env bash
# mustache 4.2.0 and handlebars 4.7.10, against nunjucks 3.2.4, ejs 7.0.2, eta 4.6.0 and liquidjs 10.30.1 (JavaScript).
#
# Guess: a template engine that escapes for HTML changes & < > and quotes. Image names, label selectors and tokens pass
# through unchanged.
#
# Really: Mustache also changes the slash, and both Mustache and Handlebars the equals sign. An image has `&#x2F;` in
# its name, a selector is `app&#x3D;shop`, and a token in Base64 is wrong only if it ends in padding.
#
# Matters: a manifest or a message made by Mustache names an image that cannot be pulled. With Handlebars images work,
# so nobody suspects escaping until a selector or a token fails. Write three braces, or set noEscape.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node mustache@4.2.0 handlebars@4.7.10 nunjucks@3.2.4 ejs@7.0.2 eta@4.6.0 liquidjs@10.30.1 <<'JS'
import ejs from "ejs";
import { Eta } from "eta";
import Handlebars from "handlebars";
import { Liquid } from "liquidjs";
import Mustache from "mustache";
import nunjucks from "nunjucks";

const engines = {
  mustache: (value) => Mustache.render("{{value}}", { value }),
  handlebars: (value) => Handlebars.compile("{{value}}")({ value }),
  nunjucks: (value) => nunjucks.renderString("{{ value }}", { value }),
  ejs: (value) => ejs.render("<%= value %>", { value }),
  eta: (value) => new Eta().renderString("<%= it.value %>", { value }),
  liquidjs: (value) => new Liquid().parseAndRenderSync("{{ value }}", { value }),
};
for (const value of ["ghcr.io/shop/app:1.2", "app=shop", "c2VjcmV0MQ==", "c2VjcmV0"]) {
  for (const [name, render] of Object.entries(engines)) {
    console.log(`${value} by ${name}: ${render(value) === value ? "unchanged" : render(value)}`);
  }
}
JS
expect <<'END'
ghcr.io/shop/app:1.2 by mustache: ghcr.io&#x2F;shop&#x2F;app:1.2
ghcr.io/shop/app:1.2 by handlebars: unchanged
ghcr.io/shop/app:1.2 by nunjucks: unchanged
ghcr.io/shop/app:1.2 by ejs: unchanged
ghcr.io/shop/app:1.2 by eta: unchanged
ghcr.io/shop/app:1.2 by liquidjs: unchanged
app=shop by mustache: app&#x3D;shop
app=shop by handlebars: app&#x3D;shop
app=shop by nunjucks: unchanged
app=shop by ejs: unchanged
app=shop by eta: unchanged
app=shop by liquidjs: unchanged
c2VjcmV0MQ== by mustache: c2VjcmV0MQ&#x3D;&#x3D;
c2VjcmV0MQ== by handlebars: c2VjcmV0MQ&#x3D;&#x3D;
c2VjcmV0MQ== by nunjucks: unchanged
c2VjcmV0MQ== by ejs: unchanged
c2VjcmV0MQ== by eta: unchanged
c2VjcmV0MQ== by liquidjs: unchanged
c2VjcmV0 by mustache: unchanged
c2VjcmV0 by handlebars: unchanged
c2VjcmV0 by nunjucks: unchanged
c2VjcmV0 by ejs: unchanged
c2VjcmV0 by eta: unchanged
c2VjcmV0 by liquidjs: unchanged
END
