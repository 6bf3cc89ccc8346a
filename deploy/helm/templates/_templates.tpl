{{- define "name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The release and the name; the release alone if it contains the name. */}}
{{- define "fullname" -}}
{{- $name := include "name" . -}}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{ .Values.fullnameOverride | default $both | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "selector" -}}
app.kubernetes.io/name: {{ include "name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* part-of is the job of the targets, see the ServiceMonitor. */}}
{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/part-of: openvpn
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "secretName" -}}
{{ .Values.existingSecret | default (include "fullname" .) }}
{{- end }}

{{- define "hasSecret" -}}
{{ if or .Values.existingSecret .Values.secrets .Values.webConfig }}true{{ end }}
{{- end }}

{{/* The handler of a probe, of the chart and a path. The kubelet has neither a password nor a client certificate. */}}
{{- define "probe" -}}
{{- $values := (index . 0).Values -}}
{{- if $values.probes -}}
{{ toYaml $values.probes }}
{{- else if or $values.webConfig (has "--web.config.file" $values.extraArgs) -}}
tcpSocket: { port: metrics }
{{- else -}}
httpGet: { path: {{ index . 1 }}, port: metrics }
{{- end }}
{{- end }}
