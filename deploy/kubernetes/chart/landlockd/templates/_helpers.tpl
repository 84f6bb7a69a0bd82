{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- define "landlockd.name" -}}
{{- $name := .Values.nameOverride | default "landlockd" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}{{ .Release.Name }}
{{- else }}{{ .Release.Name }}-{{ $name }}{{ end -}}
{{- end -}}
{{- define "landlockd.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "landlockd.name" .) }}
{{- end -}}
{{- /* A second release in the cluster has the same name and another instance. */ -}}
{{- define "landlockd.selector" -}}
app.kubernetes.io/name: landlockd
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- /* Of any key the first wins: none can take what the selectors look at. */ -}}
{{- define "landlockd.labels" -}}
{{- $own := dict "app.kubernetes.io/version" .Chart.AppVersion "app.kubernetes.io/managed-by" .Release.Service "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version) -}}
{{- toYaml (merge (include "landlockd.selector" . | fromYaml) $own .Values.commonLabels) }}
{{- end -}}
{{- define "landlockd.podLabels" -}}
{{- toYaml (merge (include "landlockd.selector" . | fromYaml) .Values.podLabels .Values.commonLabels) }}
{{- end -}}
{{- /* With labels that an object has of its own. */ -}}
{{- define "landlockd.labelsWith" -}}
{{- toYaml (merge (include "landlockd.labels" .root | fromYaml) .labels) }}
{{- end -}}
{{- /* How Prometheus scrapes; the reasons stand in deploy/kubernetes/base/podmonitor.yaml. */ -}}
{{- define "landlockd.endpoint" -}}
- port: metrics
  interval: {{ .monitor.interval }}
  scrapeTimeout: {{ .monitor.scrapeTimeout }}
  {{- if .root.Values.webConfig.existingSecret }}
  scheme: {{ .root.Values.webConfig.scheme }}
  {{- end }}
  {{- with .monitor.tlsConfig }}
  tlsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .monitor.basicAuth }}
  basicAuth:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  relabelings:
    - sourceLabels:
        - __meta_kubernetes_pod_node_name
      targetLabel: instance
    - action: labeldrop
      regex: pod|container
    {{- with .monitor.relabelings }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .monitor.metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
