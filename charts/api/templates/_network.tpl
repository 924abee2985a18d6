{{/* Egress to the cluster's names: without it no address but a bare IP can be reached. */}}
{{- define "api.egressToNames" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
  to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
      podSelector:
        matchLabels:
          k8s-app: kube-dns
{{- end }}

{{/* What callers outside the cluster are let to: probes, /metrics and /boom are not among it, and the record of an
applicant only where it takes a key to read it. */}}
{{- define "api.publicPaths" -}}
[/predict, /health, /meta, /docs, /openapi.json{{ if .Values.callers.enabled }}, /decisions{{ end }}]
{{- end }}
