{{/*
The values as JSON, with every map of the schema, so that missing, null and empty values are equal.
With --reuse-values Helm does not read this chart's defaults, so they are filled in here.
*/}}
{{- define "serin.values" -}}
{{- $values := deepCopy .Values.AsMap -}}
{{- if not (or (hasKey $values "networkPolicy") (hasKey $values "dashboards") (hasKey $values "prometheusRule") (hasKey $values "podSecurityContext")) -}}
{{- $values = mergeOverwrite (.Files.Get "files/defaults.yaml" | fromYaml) (include "serin.withoutNulls" $values | fromJson) -}}
{{- end -}}
{{- $schema := .Files.Get "files/schema.json" | fromJson -}}
{{- include "serin.filled" (list $values $schema) -}}
{{- end -}}

{{- define "serin.filled" -}}
{{- $values := index . 0 -}}
{{- range $key, $schema := (index . 1).properties -}}
{{- if has "object" (kindIs "string" $schema.type | ternary (list $schema.type) (default list $schema.type)) -}}
{{- $map := get $values $key | default dict -}}
{{- if hasKey $schema "properties" }}{{ $map = include "serin.filled" (list $map $schema) | fromJson }}{{ end -}}
{{- $_ := set $values $key $map -}}
{{- end -}}
{{- end -}}
{{- $values | toJson -}}
{{- end -}}

{{/* Labels or annotations from a list of maps, with values as strings. If two have the same key, the later one wins. */}}
{{- define "serin.merged" -}}
{{- $all := dict -}}
{{- range . -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $all $key (toString $value) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{/* The duration with this name. A number has no unit, and without this check the program would fail at its start. */}}
{{- define "serin.time" -}}
{{- $name := index . 0 -}}{{- $value := index . 1 -}}
{{- $unit := or (kindIs "invalid" $value) (kindIs "string" $value) (eq (toString $value) "0") -}}
{{- if not $unit }}{{ fail (printf "%s is the number %v: write %vs, or another unit" $name $value $value) }}{{ end -}}
{{- if not (kindIs "invalid" $value) }}{{ $value }}{{ end -}}
{{- end -}}

{{/* An image in the registry of `global.imageRegistry`, which replaces the registry in the image's name. */}}
{{- define "serin.inRegistry" -}}
{{- $registry := index . 0 -}}{{- $image := index . 1 -}}
{{- $parts := splitList "/" $image -}}
{{- $host := first $parts -}}
{{- $named := and (gt (len $parts) 1) (or (contains "." $host) (contains ":" $host) (eq $host "localhost")) -}}
{{- if and $registry $named }}{{ $image = rest $parts | join "/" }}{{ end -}}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end }}{{ $image -}}
{{- end -}}

{{- define "serin.withoutNulls" -}}
{{- $kept := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- $_ := set $kept $key (include "serin.withoutNulls" $value | fromJson) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $kept $key $value -}}
{{- end -}}
{{- end -}}
{{- $kept | toJson -}}
{{- end -}}

{{/*
Paths of values that are not in the schema, as a JSON list. Fails if one is probably a misspelt name. Other unknown names at the
top level may be YAML anchors, and are only listed in NOTES.
*/}}
{{- define "serin.unknown" -}}
{{- $schema := .Files.Get "files/schema.json" | fromJson -}}
{{- $unknown := list -}}
{{- range $key, $value := .Values -}}
{{- $known := get $schema.properties $key -}}
{{- if not (hasKey $schema.properties $key) -}}
{{- $meant := include "serin.meant" (list $key (keys $schema.properties | sortAlpha)) -}}
{{- if $meant }}{{ fail (printf "%s is no value of this chart: did you mean %s?" $key $meant) }}{{ end -}}
{{- $unknown = append $unknown $key -}}
{{- else if and (ne $key "global") (kindIs "map" $value) (hasKey $known "properties") -}}
{{- include "serin.checkedMap" (list $key $value $known) -}}
{{- end -}}
{{- end -}}
{{- $unknown | toJson -}}
{{- end -}}

{{- define "serin.checkedMap" -}}
{{- $path := index . 0 -}}
{{- $schema := index . 2 -}}
{{- range $key, $value := index . 1 -}}
{{- if not (hasKey $schema.properties $key) -}}
{{- $names := keys $schema.properties | sortAlpha -}}
{{- $meant := include "serin.meant" (list $key $names) -}}
{{- if $meant }}{{ fail (printf "%s.%s is no value of this chart: did you mean %s.%s?" $path $key $path $meant) }}{{ end -}}
{{- fail (printf "%s.%s is no value of this chart: %s has %s" $path $key $path (join ", " $names)) -}}
{{- end -}}
{{- $known := get $schema.properties $key -}}
{{- if and (kindIs "map" $value) (hasKey $known "properties") -}}
{{- include "serin.checkedMap" (list (printf "%s.%s" $path $key) $value $known) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The name in a list that differs from another name only by case, by - and _, or by one letter. */}}
{{- define "serin.meant" -}}
{{- $name := index . 0 | lower | replace "-" "" | replace "_" "" -}}
{{- $found := "" -}}
{{- range $candidate := index . 1 -}}
{{- $other := $candidate | lower -}}
{{- if and (not $found) (eq "true" (include "serin.near" (list $name $other))) }}{{ $found = $candidate }}{{ end -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/* true if two words differ by one letter: missing, added, replaced, or swapped with the next one. */}}
{{- define "serin.near" -}}
{{- $a := index . 0 -}}{{- $b := index . 1 -}}
{{- $near := eq $a $b -}}
{{- $long := max (len $a) (len $b) -}}
{{- if and (not $near) (gt (min (len $a) (len $b)) 2) (le (sub $long (min (len $a) (len $b))) 1) -}}
{{- range $i := until (int $long) -}}
{{- if and (not $near) (le $i (len $a)) (le $i (len $b)) -}}
{{- if eq (substr 0 $i $a) (substr 0 $i $b) -}}
{{- $restA := trimPrefix (substr 0 $i $a) $a -}}{{- $restB := trimPrefix (substr 0 $i $b) $b -}}
{{- $tailA := regexReplaceAll "^." $restA "" -}}{{- $tailB := regexReplaceAll "^." $restB "" -}}
{{- $swapped := eq (regexReplaceAll "^(.)(.)" $restA "${2}${1}") $restB -}}
{{- if or (eq $tailA $tailB) (eq $restA $tailB) (eq $tailA $restB) $swapped }}{{ $near = true }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $near -}}
{{- end -}}
