{{/* Egress to each of a list of {to, port}; what has no peers is not reached. */}}
{{- define "api.egressTo" -}}
{{- range . }}
{{- if .to }}
- ports:
    - port: {{ .port }}
  to:
    {{- toYaml .to | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}
