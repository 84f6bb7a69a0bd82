{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- define "landlockd.name" -}}
{{- if contains "landlockd" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-landlockd{{ end -}}
{{- end -}}
{{- /* A second release in the cluster has the same name and another instance. */ -}}
{{- define "landlockd.selector" -}}
app.kubernetes.io/name: landlockd
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- define "landlockd.labels" -}}
{{ include "landlockd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}
