#!/usr/bin/env bash
# fabric8 kubernetes-client 7.9.0 (Java; operators in Java, Quarkus).
#
# Guess: Serialization.unmarshal() reads a manifest as kubectl does: null, 16, true, 1000, 10, and a merged map.
#
# Really: of plain values it knows what JSON has: `~` is the text "~", 0x10, 1_000 and on are texts, 012 too, and
# `<<: *defaults` is a key called "<<". Only where a built-in type wants a file mode is 0644 still 420.
#
# Matters: an operator or a test in Java that reads the manifests of a Canary from Git finds no interval in an analysis
# that is shared by an anchor, and a text where a field was emptied with `~`; it sends both to the API server. Write null,
# and no merge keys.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java io.fabric8:kubernetes-client:7.9.0 <<'JAVA'
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;

class Main {
    public static void main(String[] none) {
        for (var value : List.of("~", "null", "on", "true", "0x10", "1e3", "1_000", "012")) {
            var canary = Serialization.unmarshal("apiVersion: flagger.app/v1beta1\nkind: Canary\nspec: {a: " + value + "}\n",
                GenericKubernetesResource.class);
            System.out.println(value + ": " + Serialization.asJson(canary.<Object>get("spec", "a")));
        }
        var shared = Serialization.unmarshal("apiVersion: v1\nkind: Canary\nx: &x {interval: 1m}\nspec: {<<: *x, threshold: 5}\n",
            GenericKubernetesResource.class);
        System.out.println("merged: " + shared.<Object>get("spec"));
        var pod = Serialization.unmarshal("apiVersion: v1\nkind: Pod\nspec: {volumes: [{name: a, secret: {defaultMode: 0644}}]}\n", Pod.class);
        System.out.println("defaultMode: 0644: " + pod.getSpec().getVolumes().get(0).getSecret().getDefaultMode());
    }
}
JAVA
expect <<'END'
~: "~"
null: null
on: "on"
true: true
0x10: "0x10"
1e3: 1000.0
1_000: "1_000"
012: "012"
merged: {<<={interval=1m}, threshold=5}
defaultMode: 0644: 420
END
