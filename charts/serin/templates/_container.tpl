{{/* The flags, as a YAML list. Flagger has the flags above the check of image.allowFlagger. */}}
{{- define "serin.args" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- $args := list (printf "--log-level=%s" (default "info" $v.logLevel)) (printf "--metrics-server=%s" (include "serin.metricsServer" .)) -}}
{{- range $flag, $value := dict "mesh-provider" $v.meshProvider "namespace" (include "serin.namespaces" . | fromJsonArray | join ",") "namespace-selector" $v.namespaceSelector "selector-labels" $v.selectorLabels "include-label-prefix" $v.includeLabelPrefix "ingress-annotations-prefix" $v.ingressAnnotationsPrefix "ingress-class" $v.ingressClass "cluster-name" $v.clusterName "slack-channel" $v.slack.channel "slack-proxy-url" (default $v.slack.proxy $v.slack.proxyUrl) "msteams-proxy-url" $v.msteams.proxyUrl -}}
{{- if $value }}{{ $args = append $args (printf "--%s=%v" $flag $value) }}{{ end -}}
{{- end -}}
{{- if ne (toString (default "flagger" $v.slack.user)) "flagger" }}{{ $args = append $args (printf "--slack-user=%v" $v.slack.user) }}{{ end -}}
{{- if eq (toString $v.noCrossNamespaceRefs) "true" }}{{ $args = append $args "--no-cross-namespace-refs=true" }}{{ end -}}
{{- if eq (toString $v.rbac.secrets) "false" -}}
{{- $args = append $args "--enable-config-tracking=false" -}}
{{- else if not (kindIs "invalid" $v.configTracking.enabled) -}}
{{- $args = append $args (printf "--enable-config-tracking=%v" $v.configTracking.enabled) -}}
{{- end -}}
{{- if $v.controlplane.kubeconfig.secretName -}}
{{- $args = append $args (printf "--kubeconfig-service-mesh=/tmp/controlplane/%s" (default "kubeconfig" $v.controlplane.kubeconfig.key)) -}}
{{- end -}}
{{- /* The lease of the acting operator. It is also Flagger's lease, if Flagger ran with leader election. */ -}}
{{- $args = append $args (printf "--leader-election-namespace=%s" .Release.Namespace) -}}
{{- if eq (toString $v.leaderElection.enabled) "true" }}{{ $args = append $args "--enable-leader-election=true" }}{{ end -}}
{{- if ne (toString $v.image.allowFlagger) "true" -}}
{{- if eq (toString $v.leaderElection.enabled) "true" -}}
{{- with include "serin.time" (list "leaderElection.leaseDuration" $v.leaderElection.leaseDuration) }}{{ $args = append $args (printf "--lease-duration=%s" .) }}{{ end -}}
{{- end -}}
{{- with $v.maxRuns }}{{ $args = append $args (printf "--max-runs=%d" (int64 .)) }}{{ end -}}
{{- with $v.maxRunsPerNamespace }}{{ $args = append $args (printf "--max-runs-per-namespace=%d" (int64 .)) }}{{ end -}}
{{- with include "serin.time" (list "settleTime" $v.settleTime) }}{{ $args = append $args (printf "--settle-time=%s" .) }}{{ end -}}
{{- if eq (toString $v.strict) "true" }}{{ $args = append $args "--strict=true" }}{{ end -}}
{{- with $v.allowedHosts }}{{ $args = append $args (printf "--allowed-hosts=%s" (join "," .)) }}{{ end -}}
{{- with $v.allowedNetworks }}{{ $args = append $args (printf "--allowed-networks=%s" (join "," .)) }}{{ end -}}
{{- with $v.allowedRouteHosts }}{{ $args = append $args (printf "--allowed-route-hosts=%s" (join "," .)) }}{{ end -}}
{{- if eq (toString $v.adoptionNeedsConsent) "true" }}{{ $args = append $args "--adoption-needs-consent=true" }}{{ end -}}
{{- with $v.allowedMetadataDomains }}{{ $args = append $args (printf "--allowed-metadata-domains=%s" (join "," .)) }}{{ end -}}
{{- with $v.allowedGateways }}{{ $args = append $args (printf "--allowed-gateways=%s" (join "," .)) }}{{ end -}}
{{- with $v.cloudIdentityNamespaces }}{{ $args = append $args (printf "--cloud-identity-namespaces=%s" (join "," .)) }}{{ end -}}
{{- if include "serin.managesCrds" . }}{{ $args = append $args "--manage-crds" }}{{ end -}}
{{- if eq (toString $v.metricsAuth) "true" }}{{ $args = append $args "--metrics-auth" }}{{ end -}}
{{- end -}}
{{- range concat $args (default list $v.extraArgs) }}
- {{ . | quote }}
{{- end -}}
{{- end -}}

{{/* Environment variables: the URLs, unless the user's variables set them, and the user's variables. */}}
{{- define "serin.env" -}}
{{- $v := include "serin.values" . | fromJson -}}
{{- $own := list -}}
{{- range default list $v.env }}{{ $own = append $own .name }}{{ end -}}
{{- $secret := default (printf "%s-urls" (include "serin.fullname" .)) $v.existingSecret -}}
{{- $given := dict "SLACK_URL" $v.slack.url "MSTEAMS_URL" $v.msteams.url "EVENT_WEBHOOK_URL" $v.eventWebhook -}}
{{- range $name, $key := dict "SLACK_URL" "slack-url" "MSTEAMS_URL" "msteams-url" "EVENT_WEBHOOK_URL" "event-webhook-url" }}
{{- if and (not (has $name $own)) (or $v.existingSecret (get $given $name)) }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ $key }}
      optional: true
{{- end }}
{{- end }}
{{- with $v.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}
