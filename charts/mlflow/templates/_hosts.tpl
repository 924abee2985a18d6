{{/* The Service's names, longest last. */}}
{{- define "mlflow.serviceNames" -}}
{{- $name := include "mlflow.fullname" . }}
{{- $namespaced := printf "%s.%s" $name .Release.Namespace }}
{{- list $name $namespaced (printf "%s.svc" $namespaced) (printf "%s.svc.%s" $namespaced .Values.clusterDomain) | join " " }}
{{- end }}

{{/* Host headers that the server answers. The list replaces MLflow's own, so all that must work stands in it: the names
with and without a port, localhost for a port-forward, and the pod's own address for Prometheus. */}}
{{- define "mlflow.allowedHosts" -}}
{{- $hosts := list }}
{{- range splitList " " (include "mlflow.serviceNames" .) }}
{{- $hosts = concat $hosts (list . (printf "%s:*" .)) }}
{{- end }}
{{- $pod := contains ":" .Values.listenAddress | ternary (list "$(POD_IP):5000" "[$(POD_IP)]:5000") (list "$(POD_IP):5000") }}
{{- $ingress := .Values.ingress.enabled | ternary (list .Values.ingress.host) list }}
{{- concat $hosts (list "localhost:*" "127.0.0.1:*") $pod $ingress .Values.extraAllowedHosts | join "," }}
{{- end }}
