{{/* <chart>-<version> */}}
{{- define "serin.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
Part of all selectors, which cannot be changed. A release that was Flagger's has Flagger's: by the chart's name, or where the
release's name says so. No lookup, so that `helm template` says the same.
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
Flagger's container is called `flagger` whatever the release is called. One of another name would be added beside it where
objects are merged that Helm did not make.
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

{{/* The namespaces that are watched, as a JSON list; none: all. */}}
{{- define "serin.namespaces" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- $all := list -}}
{{- range prepend (default list $v.namespaces) (default "" $v.namespace) | join "," | splitList "," -}}
{{- with trim . }}{{ $all = append $all . }}{{ end -}}
{{- end -}}
{{- $all | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/* Where the Lease is: as the flags say it. */}}
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

{{/* Of the Prometheus of `prometheus.install`: a ServiceMonitor or PodMonitor of the operator does not select it. */}}
{{- define "serin.prometheusSelectorLabels" -}}
app.kubernetes.io/name: {{ include "serin.name" . }}-prometheus
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "serin.prometheusLabels" -}}
helm.sh/chart: {{ include "serin.chart" . }}
{{ include "serin.prometheusSelectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* The image, and what keeps Flagger's from being meant by it. */}}
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

{{/* Where the metrics are that Canaries are measured by, if they name no server. */}}
{{- define "serin.metricsServer" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- if eq (toString $v.prometheus.install) "true" -}}
http://{{ include "serin.fullname" . }}-prometheus:9090
{{- else -}}
{{ default "http://prometheus:9090" $v.metricsServer }}
{{- end -}}
{{- end -}}

{{/* The operator keeps its CustomResourceDefinitions up to date, for which it needs rights in the whole cluster. */}}
{{- define "serin.managesCrds" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- if and (ne (toString $v.rbac.namespaced) "true") (eq (toString $v.crd.manage) "true") (ne (toString $v.crd.create) "true") (ne (toString $v.image.allowFlagger) "true") -}}
true
{{- end -}}
{{- end -}}

{{/* Number or percentage, without exponents. */}}
{{- define "serin.number" -}}
{{- if kindIs "string" . }}{{ if regexMatch "^[0-9]+$" . }}{{ . }}{{ else }}{{ . | quote }}{{ end }}{{ else }}{{ int64 . }}{{ end -}}
{{- end -}}

{{/* Names of Flagger's own helpers: affinities of its users' values have them in their expressions. */}}
{{- define "flagger.name" }}{{ include "serin.name" . }}{{ end -}}
{{- define "flagger.fullname" }}{{ include "serin.fullname" . }}{{ end -}}
{{- define "flagger.chart" }}{{ include "serin.chart" . }}{{ end -}}
{{- define "flagger.serviceAccountName" }}{{ include "serin.serviceAccountName" . }}{{ end -}}
