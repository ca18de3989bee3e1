{{/* The names' beginning: the release, with `ambient` in it. */}}
{{- define "ambient.name" -}}
{{- if contains "ambient" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-ambient" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Cluster-wide names carry the namespace too, for a second installation. */}}
{{- define "ambient.clusterName" -}}
{{ printf "%s-%s" .Release.Namespace (include "ambient.name" .) }}
{{- end }}

{{/* What selects pods: (list $ "api"), or (list $ "") for all of the release. Never changes. */}}
{{- define "ambient.selector" -}}
{{- $root := index . 0 }}{{- $component := index . 1 -}}
app.kubernetes.io/name: ambient
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- with $component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "ambient.labels" -}}
{{- $root := index . 0 -}}
{{ include "ambient.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{- define "ambient.metadata" -}}
{{- $root := index . 0 }}{{- $component := index . 1 -}}
name: {{ include "ambient.name" $root }}-{{ $component }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "ambient.labels" . | nindent 2 }}
{{- end }}

{{/* An image of ours: (list $ .Values.image). */}}
{{- define "ambient.image" -}}
{{- $root := index . 0 }}{{- $image := index . 1 -}}
{{- if $image.digest }}{{ $image.repository }}@{{ $image.digest }}{{ else }}{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "ambient.keysSecret" -}}
{{ .Values.keys.existingSecret | default (printf "%s-keys" (include "ambient.name" .)) }}
{{- end }}
{{- define "ambient.postgresqlSecret" -}}
{{ .Values.postgresql.existingSecret | default (printf "%s-postgresql" (include "ambient.name" .)) }}
{{- end }}
{{- define "ambient.valkeySecret" -}}
{{ .Values.valkey.existingSecret | default (printf "%s-valkey" (include "ambient.name" .)) }}
{{- end }}

{{/* Whether api and worker reach the bucket by a role instead of keys: "true" or nothing. */}}
{{- define "ambient.bucketRole" -}}
{{- with .Values.workspace.s3 }}{{ if and .bucket (not .existingSecret) }}true{{ end }}{{ end }}
{{- end }}

{{/* An identity of ours: (list $ "api"). It has no token; a pod that needs one says so itself. */}}
{{- define "ambient.account" -}}
{{- $root := index . 0 }}{{- $component := index . 1 -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "ambient.metadata" . | nindent 2 }}
  {{- with $root.Values.workspace.s3.roleAnnotations }}
  {{- if has $component (list "api" "worker") }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}

{{/* Pod Security "restricted", and more. */}}
{{- define "ambient.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "ambient.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
