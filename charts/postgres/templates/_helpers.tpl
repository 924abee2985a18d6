{{/* Generated from charts/_shared/helpers.tpl by `make charts`: change that file, not this one. */}}
{{/* Name of every object: the release's, so that the release `postgres` is found as the Service `postgres`. */}}
{{- define "postgres.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/* What a pod is found by. Selectors cannot be changed, so nothing here may follow a version. */}}
{{- define "postgres.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "postgres.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "postgres.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: credit-default
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Reference of an image {repository, tag, digest}; the digest wins. Called with (list . .Values.image). */}}
{{- define "postgres.image" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository ($image.tag | default $root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* Pod Security "restricted" for a pod that runs as one numeric user. Called with the user's id. */}}
{{- define "postgres.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Pod Security "restricted" for a container, and a root file system nobody can write to. */}}
{{- define "postgres.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{/* Egress to the cluster's names: without it no address but a bare IP can be reached. */}}
{{- define "postgres.egressToNames" -}}
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
