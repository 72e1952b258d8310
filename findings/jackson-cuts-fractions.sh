#!/usr/bin/env bash
# Jackson 2.19.0 and 3.0.0, Gson 2.13.1 (Java).
#
# Guess: 99.9 for a field of the type int is refused, and so is an empty text for a number, or "yes" for a boolean.
#
# Really: both versions of Jackson read 99.9 as 99 and -0.9 as 0; Jackson 2 reads "" as 0. Gson refuses these, but reads
# "yes" and "1" as false, and in a Map 50 becomes 50.0.
#
# Matters: a bot in Java that declares a limit or a weight as int, since all that it saw were whole, compares with 99 where
# the Canary says 99.9, and sends 99 back when it writes the object. Take BigDecimal, or switch ACCEPT_FLOAT_AS_INT off.
# With Gson, `suspend: "yes"` in the settings of a bot means no.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java com.fasterxml.jackson.core:jackson-databind:2.19.0 tools.jackson.core:jackson-databind:3.0.0 com.google.code.gson:gson:2.13.1 <<'JAVA'
import com.google.gson.Gson;
import java.util.LinkedHashMap;
import java.util.Map;

public class Main {
    public static class Spec {
        public int limit;
        public boolean suspend;
    }

    interface Reader {
        Object read(String text, Class<?> as) throws Exception;
    }

    public static void main(String[] arguments) {
        Map<String, Reader> readers = new LinkedHashMap<>();
        readers.put("Jackson 2", new com.fasterxml.jackson.databind.ObjectMapper()::readValue);
        readers.put("Jackson 3", new tools.jackson.databind.ObjectMapper()::readValue);
        readers.put("Gson", new Gson()::fromJson);
        for (var text : new String[] {"{\"limit\":99.9}", "{\"limit\":-0.9}", "{\"limit\":\"\"}", "{\"limit\":\"50\"}", "{\"suspend\":\"yes\"}", "{\"suspend\":\"1\"}"}) {
            var line = new StringBuilder(text);
            readers.forEach((name, reader) -> {
                String read;
                try {
                    var spec = (Spec) reader.read(text, Spec.class);
                    read = text.contains("limit") ? "" + spec.limit : "" + spec.suspend;
                } catch (Exception refused) {
                    read = "refused";
                }
                line.append(" | ").append(name).append(": ").append(read);
            });
            System.out.println(line);
        }
        System.out.println("{\"limit\":50} in a Map of Gson: " + new Gson().toJson(new Gson().fromJson("{\"limit\":50}", Map.class)));
    }
}
JAVA
expect <<'END'
{"limit":99.9} | Jackson 2: 99 | Jackson 3: 99 | Gson: refused
{"limit":-0.9} | Jackson 2: 0 | Jackson 3: 0 | Gson: refused
{"limit":""} | Jackson 2: 0 | Jackson 3: refused | Gson: refused
{"limit":"50"} | Jackson 2: 50 | Jackson 3: 50 | Gson: 50
{"suspend":"yes"} | Jackson 2: refused | Jackson 3: refused | Gson: false
{"suspend":"1"} | Jackson 2: refused | Jackson 3: refused | Gson: false
{"limit":50} in a Map of Gson: {"limit":50.0}
END
