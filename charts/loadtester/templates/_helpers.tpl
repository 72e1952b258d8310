{{- define "loadtester.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "loadtester.fullname" -}}
{{- $name := include "loadtester.name" . -}}
{{- $full := printf "%s-%s" .Release.Name $name -}}
{{- if contains $name .Release.Name }}{{ $full = .Release.Name }}{{ end -}}
{{- default $full .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "loadtester.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "loadtester.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "loadtester.image" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- $image := $v.image -}}
{{- if not (or (kindIs "string" $image.tag) (kindIs "invalid" $image.tag)) -}}
{{- fail (printf "image.tag is the number %v: quote it, as in tag: \"1.40\", or use --set-string" $image.tag) -}}
{{- end -}}
{{- $repository := default "serin-loadtester" $image.repository -}}
{{- $tag := default .Chart.AppVersion $image.tag -}}
{{- $hint := "delete it, or set image.repository to where the image of Serin's load tester is" -}}
{{- if ne (toString $image.allowFlagger) "true" -}}
{{- if eq (last (splitList "/" $repository)) "flagger-loadtester" -}}
{{- fail (printf "image.repository names Flagger's load tester (%s): %s" $repository $hint) -}}
{{- end -}}
{{- if and (not $image.repository) (regexMatch "^v?0\\.(1[0-9]|[2-9][0-9])\\.[0-9]+" $tag) -}}
{{- fail (printf "image.tag names Flagger's load tester (%s): %s" $tag $hint) -}}
{{- end -}}
{{- end -}}
{{- $reference := ternary (printf "%s@%v" $repository $image.digest) (printf "%s:%s" $repository $tag) (not (empty $image.digest)) -}}
{{- include "serin.inRegistry" (list $v.global.imageRegistry $reference) -}}
{{- end -}}

{{- define "loadtester.number" -}}
{{- if kindIs "string" . }}{{ if regexMatch "^[0-9]+$" . }}{{ . }}{{ else }}{{ . | quote }}{{ end }}{{ else }}{{ int64 . }}{{ end -}}
{{- end -}}

{{/* Whether gates are stored in memory: if the values say so, or if the account is the user's own. */}}
{{- define "loadtester.gatesInMemory" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- $said := toString (default "" $v.gates.inMemory) -}}
{{- if kindIs "bool" $v.gates.inMemory }}{{ $said = toString $v.gates.inMemory }}{{ end -}}
{{- if or (eq $said "true") (and (ne $said "false") $v.serviceAccountName) -}}
true
{{- end -}}
{{- end -}}
