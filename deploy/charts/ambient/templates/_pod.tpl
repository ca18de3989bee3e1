{{/*
The pod of one process type: (dict "root" $ "component" "api" "command" (list ...) "resources" ...), and where
they apply "port", "kubernetes" (talks to the cluster's API), "role" (has an account for the bucket), "secrets" (more
settings out of Secrets, as ambient.secretEnv takes them) and "grace" (seconds to stop in).
*/}}
{{- define "ambient.pod" -}}
{{- $root := .root -}}
metadata:
  labels:
    {{- include "ambient.selector" (list $root .component) | nindent 4 }}
  annotations:
    # Pods start again when the settings change.
    ambient/settings: {{ include "ambient.settings" $root | sha256sum }}
spec:
  {{- if or .kubernetes .role }}
  serviceAccountName: {{ include "ambient.name" $root }}-{{ .component }}
  {{- end }}
  automountServiceAccountToken: {{ .kubernetes | default false }}
  enableServiceLinks: false
  securityContext:
    {{- include "ambient.podSecurity" 10001 | nindent 4 }}
  terminationGracePeriodSeconds: {{ .grace | default 30 }}
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "ambient.selector" (list $root .component) | nindent 10 }}
  {{- if ne .component "migrate" }}
  initContainers:
    # Nothing of a new version works on an old schema.
    - name: wait-for-migration
      args: [python, manage.py, wait_for_migrations]
      {{- include "ambient.container" . | nindent 6 }}
  {{- end }}
  containers:
    - name: {{ .component }}
      args: {{ toJson .command }}
      {{- include "ambient.container" . | nindent 6 }}
      {{- if .port }}
      ports:
        - {name: http, containerPort: {{ .port }}}
      startupProbe:
        httpGet: {path: /healthz, port: http, httpHeaders: [{name: Host, value: localhost}]}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: http, httpHeaders: [{name: Host, value: localhost}]}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: http, httpHeaders: [{name: Host, value: localhost}]}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      lifecycle:
        preStop:
          sleep: {seconds: 5}  # until nobody is sent here any more
      {{- else }}
      {{- if ne .component "migrate" }}
      startupProbe:
        {{- include "ambient.pulse" . | nindent 8 }}
        periodSeconds: 5
        failureThreshold: 24
      livenessProbe:
        {{- include "ambient.pulse" . | nindent 8 }}
        periodSeconds: 20
        failureThreshold: 3
      {{- end }}
      {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 1Gi}
{{- end }}

{{/* A process without a port touches a file every 2 s (AMBIENT_PULSE_FILE). */}}
{{- define "ambient.pulse" -}}
exec: {command: [sh, -c, 'test -n "$(find /tmp/pulse -mmin -1)"']}
timeoutSeconds: 5
{{- end }}

{{/* What all containers of the server's image have. */}}
{{- define "ambient.container" -}}
{{- $root := .root -}}
image: {{ include "ambient.image" (list $root $root.Values.image) }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  {{- include "ambient.containerSecurity" $root | nindent 2 }}
resources:
  {{- toYaml .resources | nindent 2 }}
envFrom:
  - configMapRef:
      name: {{ include "ambient.name" $root }}-settings
env:
  {{- if .port }}
  - name: POD_IP  # Prometheus asks by the address of the pod
    valueFrom: {fieldRef: {fieldPath: status.podIP}}
  - name: AMBIENT_ALLOWED_HOSTS
    value: {{ include "ambient.hosts" $root }},$(POD_IP)
  {{- end }}
  {{- $keys := include "ambient.keysSecret" $root }}
  {{- $postgresql := include "ambient.postgresqlSecret" $root }}
  {{- include "ambient.secretEnv" (list "AMBIENT_SECRET_KEY" $keys) | nindent 2 }}
  {{- include "ambient.secretEnv" (list "CREDENTIAL_ENCRYPTION_KEYRING" $keys) | nindent 2 }}
  {{- include "ambient.secretEnv" (list "AMBIENT_ENCRYPTION_KEYS" $keys "optional") | nindent 2 }}
  {{- include "ambient.secretEnv" (list "DATABASE_URL" $postgresql) | nindent 2 }}
  {{- include "ambient.secretEnv" (list "DATABASE_DIRECT_URL" $postgresql "optional") | nindent 2 }}
  {{- include "ambient.secretEnv" (list "REDIS_URL" (include "ambient.valkeySecret" $root)) | nindent 2 }}
  {{- range .secrets }}
  {{- include "ambient.secretEnv" . | nindent 2 }}
  {{- end }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{/* A setting out of a Secret's key of the same name: (list NAME SECRET), and "optional" where it may lack. Without a
Secret's name there is no such setting. */}}
{{- define "ambient.secretEnv" -}}
{{- if index . 1 -}}
- name: {{ index . 0 }}
  valueFrom: {secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 0 }}{{ if eq (len .) 3 }}, optional: true{{ end }}}}
{{- end }}
{{- end }}
