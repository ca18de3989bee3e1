{{/* Pods of one of our components, as a peer of a NetworkPolicy. */}}
{{- define "ambient.peer" -}}
- podSelector:
    matchLabels:
      {{- include "ambient.selector" . | nindent 6 }}
{{- end }}

{{/* All runners: they live in namespaces that the platform has made, one a project. */}}
{{- define "ambient.runners" -}}
- namespaceSelector:
    matchLabels: {ambient-code.io/managed: "true"}
{{- end }}

{{- define "ambient.egress.runners" -}}
- ports: [{port: 8001}]
  to:
    {{- include "ambient.runners" . | nindent 4 }}
{{- end }}

{{/* PostgreSQL and Valkey: the bundled ones, else whatever has the port. */}}
{{- define "ambient.egress.data" -}}
{{- range $server := list "postgresql" "valkey" }}
{{- $values := index $.Values $server }}
- ports: [{port: {{ if $values.bundled.enabled }}{{ $server }}{{ else }}{{ $values.port }}{{ end }}}]
  {{- if $values.bundled.enabled }}
  to:
    {{- include "ambient.peer" (list $ $server) | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "ambient.egress.network" -}}
- ports:
    {{- range .ports }}
    - {port: {{ . }}}
    {{- end }}
  to:
    - ipBlock: {cidr: {{ .cidr }}}
{{- end }}

{{/* The bucket of saved files, at the port of its address, for those who have its keys. */}}
{{- define "ambient.egress.bucket" -}}
{{- with .Values.workspace.s3 }}
{{- if .bucket }}
{{- $address := urlParse (.endpoint | default "https://amazonaws.com") }}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $address.host) | default (ternary "80" "443" (eq $address.scheme "http")) -}}
{{ include "ambient.egress.network" (dict "ports" (list $port) "cidr" $.Values.networkPolicy.bucket.cidr) }}
{{- end }}
{{- end }}
{{- end }}
