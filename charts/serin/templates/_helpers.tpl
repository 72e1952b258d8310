{{/* <chart>-<version> */}}
{{- define "serin.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
Part of all selectors, which cannot be changed. A former release of Flagger keeps Flagger's name: the chart's name or the release's
name shows this. Does not use lookup, so that `helm template` has the same result.
*/}}
{{- define "serin.name" -}}
{{- $default := .Chart.Name -}}
{{- if contains "flagger" .Release.Name }}{{ $default = "flagger" }}{{ end -}}
{{- default $default .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "serin.fullname" -}}
{{- $name := include "serin.name" . -}}
{{- $full := printf "%s-%s" .Release.Name $name -}}
{{- if contains $name .Release.Name }}{{ $full = .Release.Name }}{{ end -}}
{{- default $full .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
Flagger's container has the name `flagger` for any name of the release. If objects that Helm did not create are merged, a container
with another name would be added next to it.
*/}}
{{- define "serin.container" -}}
{{- if or (eq .Chart.Name "flagger") .Values.nameOverride (contains "flagger" (include "serin.name" .)) -}}
flagger
{{- else -}}
serin
{{- end -}}
{{- end -}}

{{- define "serin.serviceAccountName" -}}
{{- $account := (include "serin.values" . | fromJson).serviceAccount -}}
{{- if eq (toString $account.create) "true" -}}
{{- default (include "serin.fullname" .) $account.name -}}
{{- else -}}
{{- default "default" $account.name -}}
{{- end -}}
{{- end -}}

{{/* The watched namespaces, as a JSON list. Empty: all. */}}
{{- define "serin.namespaces" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- $all := list -}}
{{- range prepend (default list $v.namespaces) (default "" $v.namespace) | join "," | splitList "," -}}
{{- with trim . }}{{ $all = append $all . }}{{ end -}}
{{- end -}}
{{- $all | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/* The namespace of the Lease, from the flags. */}}
{{- define "serin.leaseNamespace" -}}
{{- $all := include "serin.namespaces" . | fromJsonArray -}}
{{- if eq (len $all) 1 }}{{ first $all }}{{ else }}{{ .Release.Namespace }}{{ end -}}
{{- end -}}

{{- define "serin.selectorLabels" -}}
app.kubernetes.io/name: {{ include "serin.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "serin.labels" -}}
helm.sh/chart: {{ include "serin.chart" . }}
{{ include "serin.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Labels of the Prometheus of `prometheus.install`. The operator's ServiceMonitor and PodMonitor do not select them. */}}
{{- define "serin.prometheusSelectorLabels" -}}
app.kubernetes.io/name: {{ include "serin.name" . }}-prometheus
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "serin.prometheusLabels" -}}
helm.sh/chart: {{ include "serin.chart" . }}
{{ include "serin.prometheusSelectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* The image. Fails if it is Flagger's image by mistake. */}}
{{- define "serin.image" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- $image := $v.image -}}
{{- if not (or (kindIs "string" $image.tag) (kindIs "invalid" $image.tag)) -}}
{{- fail (printf "image.tag is the number %v: quote it, as in tag: \"1.40\", or use --set-string" $image.tag) -}}
{{- end -}}
{{- $repository := default "serin" $image.repository -}}
{{- $tag := default .Chart.AppVersion $image.tag -}}
{{- if ne (toString $image.allowFlagger) "true" -}}
{{- $hint := "delete it, or set image.repository to where Serin's image is" -}}
{{- if eq (last (splitList "/" $repository)) "flagger" -}}
{{- fail (printf "image.repository names Flagger (%s): %s" $repository $hint) -}}
{{- end -}}
{{- if and (not $image.repository) (regexMatch "^v?1\\.[0-9]+\\.[0-9]+" $tag) -}}
{{- fail (printf "image.tag names Flagger (%s): %s" $tag $hint) -}}
{{- end -}}
{{- end -}}
{{- $reference := ternary (printf "%s@%v" $repository $image.digest) (printf "%s:%s" $repository $tag) (not (empty $image.digest)) -}}
{{- include "serin.inRegistry" (list $v.global.imageRegistry $reference) -}}
{{- end -}}

{{/* The metrics server for Canaries that name no server. */}}
{{- define "serin.metricsServer" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- if eq (toString $v.prometheus.install) "true" -}}
http://{{ include "serin.fullname" . }}-prometheus:9090
{{- else -}}
{{ default "http://prometheus:9090" $v.metricsServer }}
{{- end -}}
{{- end -}}

{{/* Whether the operator keeps its CustomResourceDefinitions up to date. It needs rights in the whole cluster for this. */}}
{{- define "serin.managesCrds" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- if and (ne (toString $v.rbac.namespaced) "true") (eq (toString $v.crd.manage) "true") (ne (toString $v.crd.create) "true") (ne (toString $v.image.allowFlagger) "true") -}}
true
{{- end -}}
{{- end -}}

{{/* A number or percentage, without exponents. */}}
{{- define "serin.number" -}}
{{- if kindIs "string" . }}{{ if regexMatch "^[0-9]+$" . }}{{ . }}{{ else }}{{ . | quote }}{{ end }}{{ else }}{{ int64 . }}{{ end -}}
{{- end -}}

{{/* Names of Flagger's own helpers: affinities in users' values contain them. */}}
{{- define "flagger.name" }}{{ include "serin.name" . }}{{ end -}}
{{- define "flagger.fullname" }}{{ include "serin.fullname" . }}{{ end -}}
{{- define "flagger.chart" }}{{ include "serin.chart" . }}{{ end -}}
{{- define "flagger.serviceAccountName" }}{{ include "serin.serviceAccountName" . }}{{ end -}}
