{{/* What callers outside the cluster are let to: probes, /metrics and /boom are not among it, and the record of an
applicant only where it takes a key to read it. */}}
{{- define "api.publicPaths" -}}
[/predict, /invocations, /ping, /version, /v2, /health, /meta, /docs, /openapi.json, /problems{{ if .Values.callers.enabled }}, /decisions, /explain, /outcomes{{ end }}]
{{- end }}
