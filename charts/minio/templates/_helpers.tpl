{{/* Generated from charts/_shared/helpers.tpl by `make charts`: change that file, not this one. */}}
{{/* The values with the chart's own where they are missing: set to null, or younger than the release whose values
`helm upgrade --reuse-values` keeps. Every template begins with it. */}}
{{- define "minio.values" -}}
{{- include "minio.filled" (list .Values (.Files.Get "generated/values.yaml" | fromYaml)) }}
{{- end }}

{{/* Fills VALUES from DEFAULTS in place. Called with (list VALUES DEFAULTS). What people take parts of away by null, such
as a limit, stays as it stands. */}}
{{- define "minio.filled" -}}
{{- $values := index . 0 }}
{{- range $key, $default := index . 1 }}
{{- $given := get $values $key }}
{{- if kindIs "invalid" $given | or (not (hasKey $values $key)) }}
{{- $_ := set $values $key (kindIs "map" $default | ternary (deepCopy $default) $default) }}
{{- else if and (kindIs "map" $default) (kindIs "map" $given) (not (has $key (list "resources" "podSecurityContext" "containerSecurityContext"))) }}
{{- include "minio.filled" (list $given $default) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Name of every object: the release's, so that the release `minio` is found as the Service `minio`. A name that is too
long for a StatefulSet, no name of a Service or no text in YAML gets a hash, by which names that begin alike stay apart. */}}
{{- define "minio.fullname" -}}
{{- $name := .Values.fullnameOverride | default .Release.Name }}
{{- if and (regexMatch "^[a-z][a-z0-9-]{0,51}$" $name) (not (regexMatch "^(y|n|yes|no|on|off|true|false|null)$" $name)) }}
{{- $name }}
{{- else }}
{{- $plain := replace "." "-" $name }}
{{- include "minio.hashed" (list (regexMatch "^[0-9]" $plain | ternary (print "r" $plain) $plain) 52 $name) }}
{{- end }}
{{- end }}

{{/* A name cut off so that it fits into a length with a hash of what it stands for. Called with (list NAME LENGTH WHOLE). */}}
{{- define "minio.hashed" -}}
{{- printf "%s-%s" (index . 0 | trunc (sub (index . 1) 9 | int) | trimSuffix "-") (index . 2 | sha256sum | trunc 8) }}
{{- end }}

{{/* What the names of Jobs and CronJobs begin with. Kubernetes puts more behind those names, and behind a CronJob's the
minute; the longest suffix here is of 11 characters, 15 for a Job. */}}
{{- define "minio.jobPrefix" -}}
{{- $name := include "minio.fullname" . }}
{{- if le (len $name) 41 }}{{ $name }}{{ else }}{{ include "minio.hashed" (list $name 41 $name) }}{{ end }}
{{- end }}

{{/* What a pod is found by. Selectors cannot be changed, so nothing here may follow a version. */}}
{{- define "minio.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "minio.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "minio.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: credit-default
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Reference of an image {repository, tag, digest}; the digest wins. global.imageRegistry takes the place of a registry
in the repository, which is a first part with a dot or a port. Called with (list . .Values.image). */}}
{{- define "minio.image" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- $repository := $image.repository }}
{{- with $root.Values.global.imageRegistry }}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") }}
{{- end }}
{{- if $image.digest }}
{{- printf "%s@%s" $repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $repository ($image.tag | default $root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* Name of the ServiceAccount that every pod runs under. */}}
{{- define "minio.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "minio.fullname" .) "default") }}
{{- end }}

{{/* The ServiceAccount, unless it is somebody else's. */}}
{{- define "minio.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "minio.serviceAccountName" . }}
  labels:
    {{- include "minio.labels" . | nindent 4 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
# No pod of this chart talks to Kubernetes.
automountServiceAccountToken: false
{{- end }}
{{- end }}

{{/* A pod with what all pods have in common, from the values. Called with (list . POD OPTIONS): the pod's metadata and spec as
YAML, and a dict with any of env and envFrom (more variables of its containers), login (how they log in to MLflow), probes (changes of the first container's),
user (another than podSecurityContext names), server (true for what affinity, topologySpreadConstraints and tls are of),
tlsFiles (what the files of the certificate's Secret are called there) and asksServer (true for what connects to it). */}}
{{- define "minio.pod" -}}
{{- $root := index . 0 }}
{{- $values := $root.Values }}
{{- $pod := index . 1 | fromYaml }}
{{- $options := index . 2 }}
{{- $metadata := $pod.metadata }}
{{- $_ := set $metadata "labels" (merge $metadata.labels $values.podLabels) }}
{{- with merge ($metadata.annotations | default dict) $values.podAnnotations }}{{ $_ := set $metadata "annotations" . }}{{ end }}
{{- $spec := merge $pod.spec (dict "serviceAccountName" (include "minio.serviceAccountName" $root)) }}
{{- $_ := set $spec "automountServiceAccountToken" false }}
{{- $_ := set $spec "enableServiceLinks" false }}
{{- $context := deepCopy $values.podSecurityContext }}
{{- range $key := list "runAsUser" "runAsGroup" "fsGroup" }}
{{- if and $options.user (hasKey $context $key) }}{{ $_ := set $context $key $options.user }}{{ end }}
{{- end }}
{{- $given := dict
      "securityContext" $context
      "imagePullSecrets" (concat $values.imagePullSecrets ($values.global.imagePullSecrets | default list) | uniq)
      "priorityClassName" $values.priorityClassName
      "nodeSelector" $values.nodeSelector
      "tolerations" $values.tolerations
      "volumes" (concat ($spec.volumes | default list) $values.extraVolumes) }}
{{- if $options.server }}
{{- $_ := set $given "affinity" $values.affinity }}
{{- $_ := set $given "topologySpreadConstraints" $values.topologySpreadConstraints }}
{{- end }}
{{- range $key, $value := $given }}{{ if $value }}{{ $_ := set $spec $key $value }}{{ end }}{{ end }}
{{- $tls := $values.tls | default dict }}
{{- $authority := ($values.certificateAuthority | default dict).existingConfigMap }}
{{- if $authority }}
{{- $source := dict "name" $authority "items" (list (dict "key" $values.certificateAuthority.key "path" "ca.crt")) }}
{{- $_ := set $spec "volumes" (append ($spec.volumes | default list) (dict "name" "certificate-authority" "configMap" $source)) }}
{{- $_ := set $options "trusts" true }}
{{- else if and $tls.enabled $options.asksServer }}
{{- $source := dict "secretName" (include "minio.tlsSecret" $root) "items" (list (dict "key" "ca.crt" "path" "ca.crt")) }}
{{- $_ := set $spec "volumes" (append ($spec.volumes | default list) (dict "name" "certificate-authority" "secret" $source)) }}
{{- $_ := set $options "trusts" true }}
{{- end }}
{{- if and $tls.enabled $options.server }}
{{- $items := list }}
{{- range $key, $path := $options.tlsFiles | default (dict "tls.crt" "tls.crt" "tls.key" "tls.key") }}
{{- $items = append $items (dict "key" $key "path" $path) }}
{{- end }}
{{- $source := dict "secretName" (include "minio.tlsSecret" $root) "defaultMode" 0440 "items" $items }}
{{- $_ := set $spec "volumes" (append ($spec.volumes | default list) (dict "name" "tls" "secret" $source)) }}
{{- range $container := $spec.containers }}
{{- range $name := list "startupProbe" "readinessProbe" "livenessProbe" }}
{{- with (get $container $name | default dict).httpGet }}{{ $_ := set . "scheme" "HTTPS" }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- range $container := concat ($spec.initContainers | default list) $spec.containers }}
{{- include "minio.container" (list $root $container $options) }}
{{- end }}
{{- range $name, $changes := $options.probes | default dict }}
{{- $container := first $spec.containers }}
{{- $probe := get $container (printf "%sProbe" $name) }}
{{- if or $changes.exec $changes.httpGet $changes.tcpSocket $changes.grpc }}{{ $probe = omit $probe "exec" "httpGet" "tcpSocket" "grpc" }}{{ end }}
{{- $_ := set $container (printf "%sProbe" $name) (merge (deepCopy $changes) $probe) }}
{{- end }}
{{- toYaml $pod }}
{{- end }}

{{/* Gives a container, in place, what all have in common. A variable that it has itself is replaced by one of env. */}}
{{- define "minio.container" -}}
{{- $values := (index . 0).Values }}
{{- $container := index . 1 }}
{{- $options := index . 2 }}
{{- with $values.containerSecurityContext }}{{ $_ := set $container "securityContext" . }}{{ end }}
{{- with concat ($container.volumeMounts | default list) $values.extraVolumeMounts }}{{ $_ := set $container "volumeMounts" . }}{{ end }}
{{- $own := $container.env | default list }}
{{- if and ($values.tls | default dict).enabled $options.server }}
{{- $mount := dict "name" "tls" "mountPath" "/etc/tls" "readOnly" true }}
{{- $_ := set $container "volumeMounts" (append ($container.volumeMounts | default list) $mount) }}
{{- end }}
{{- if $options.trusts }}
{{- $mount := dict "name" "certificate-authority" "mountPath" "/etc/certificate-authority" "readOnly" true }}
{{- $_ := set $container "volumeMounts" (append ($container.volumeMounts | default list) $mount) }}
{{- /* The names under which libpq, boto3, requests and OpenSSL look for it. */}}
{{- range $name := list "PGSSLROOTCERT" "AWS_CA_BUNDLE" "REQUESTS_CA_BUNDLE" "SSL_CERT_FILE" }}
{{- $own = append $own (dict "name" $name "value" "/etc/certificate-authority/ca.crt") }}
{{- end }}
{{- $own = append $own (dict "name" "PGSSLMODE" "value" "verify-full") }}
{{- end }}
{{- $login := $options.login | default dict }}
{{- if $login.existingSecret }}
{{- range $name, $key := dict "MLFLOW_TRACKING_USERNAME" $login.usernameKey "MLFLOW_TRACKING_PASSWORD" $login.passwordKey }}
{{- $own = append $own (dict "name" $name "valueFrom" (dict "secretKeyRef" (dict "name" $login.existingSecret "key" $key))) }}
{{- end }}
{{- end }}
{{- $variables := list }}
{{- range $own }}
{{- if not (hasKey ($options.env | default dict) .name) }}{{ $variables = append $variables . }}{{ end }}
{{- end }}
{{- range $name, $value := $options.env | default dict }}
{{- $how := kindIs "map" $value | ternary "valueFrom" "value" }}
{{- $variables = append $variables (dict "name" $name $how (kindIs "map" $value | ternary $value (toString $value))) }}
{{- end }}
{{- with $variables }}{{ $_ := set $container "env" . }}{{ end }}
{{- with $options.envFrom }}{{ $_ := set $container "envFrom" . }}{{ end }}
{{- end }}

{{/* What a Service says of the addresses that it has. Called with .Values.service. */}}
{{- define "minio.addresses" -}}
{{- range $key := list "externalTrafficPolicy" "ipFamilyPolicy" "ipFamilies" }}
{{- with get $ $key }}
{{ $key }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a NetworkPolicy lets out to: the cluster's names, without which no address but a bare IP can be reached, each of a
list of {to, port}, and networkPolicy.extraEgress. A rule without peers would be one to everybody, so it is left out. */}}
{{- define "minio.egress" -}}
{{- $policy := (index . 0).Values.networkPolicy }}
{{- $rules := list }}
{{- if and $policy.dns.to $policy.dns.ports }}
{{- $ports := list }}
{{- range $policy.dns.ports }}{{ $ports = concat $ports (list (dict "port" . "protocol" "UDP") (dict "port" . "protocol" "TCP")) }}{{ end }}
{{- $rules = append $rules (dict "ports" $ports "to" $policy.dns.to) }}
{{- end }}
{{- range index . 1 }}
{{- if .to }}{{ $rules = append $rules (dict "ports" (list (dict "port" .port)) "to" .to) }}{{ end }}
{{- end }}
{{- toYaml (concat $rules $policy.extraEgress) }}
{{- end }}

{{/* The peers that are this release's own pods of a component. Called with (list . COMPONENT). */}}
{{- define "minio.podsOf" -}}
- podSelector:
    matchLabels:
      {{- include "minio.selectorLabels" (index . 0) | nindent 6 }}
      app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Refuses to make passwords where no cluster keeps them: each rendering would make others, which fit no volume. Called
with (list . ASKED INSTEAD), whether it is asked for and what else to do. The account is in every namespace; the other
look-up is for a namespace that is made just now. */}}
{{- define "minio.mayGenerate" -}}
{{- if not (or (index . 1) (lookup "v1" "ServiceAccount" (index . 0).Release.Namespace "default") (lookup "v1" "Namespace" "" "default")) }}
{{- fail (printf "no cluster is seen here (helm template, Argo CD), so passwords would be made anew at each rendering and fit no volume: %s" (index . 2)) }}
{{- end }}
{{- end }}

{{/* A hash of what Secrets hold now, so that an upgrade brings pods that read them anew; that of nothing where no cluster is
seen. Called with (list . NAMES), of which empty ones are passed over. */}}
{{- define "minio.secretsHash" -}}
{{- $found := list }}
{{- range index . 1 }}
{{- if . }}{{ $found = append $found ((lookup "v1" "Secret" (index $ 0).Release.Namespace .).data | default dict | toJson) }}{{ end }}
{{- end }}
{{- join "," $found | sha256sum }}
{{- end }}

{{/* Refuses a Secret that is there and lacks a key; one that is not there may still come. Called with (list . NAME KEYS). */}}
{{- define "minio.secretHas" -}}
{{- $name := index . 1 }}
{{- $keys := index . 2 }}
{{- with $secret := lookup "v1" "Secret" (index . 0).Release.Namespace $name }}
{{- range $keys }}
{{- if not (hasKey ($secret.data | default dict) .) }}
{{- fail (printf "Secret %s has no key %s; it needs %s" $name . (join ", " $keys)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Refuses what Kubernetes would: another volume for a StatefulSet that is there, with the way to get it. */}}
{{- define "minio.sameVolume" -}}
{{- $name := include "minio.fullname" . }}
{{- $wanted := .Values.persistence }}
{{- range dig "spec" "volumeClaimTemplates" list (lookup "apps/v1" "StatefulSet" .Release.Namespace $name) }}
{{- if ne (.spec.storageClassName | default "") $wanted.storageClass }}
{{- fail (printf "persistence.storageClass is %q, but the volume of StatefulSet %s is of %q, and a volume keeps its class: move the data to a release of another name" $wanted.storageClass $name (.spec.storageClassName | default "")) }}
{{- end }}
{{- $size := .spec.resources.requests.storage }}
{{- if ne $size $wanted.size }}
{{- $patch := printf `{"spec": {"resources": {"requests": {"storage": "%s"}}}}` $wanted.size }}
{{- $kubectl := printf "kubectl --namespace %s" $.Release.Namespace }}
{{- fail (printf "persistence.size is %s, but StatefulSet %s asks for %s, and that never changes. Enlarge the volume, where its class allows it (none shrinks), let go of the StatefulSet without its pod, and upgrade again:\n  %s patch persistentvolumeclaim data-%s-0 --patch '%s'\n  %s delete statefulset %s --cascade=orphan" $wanted.size $name $size $kubectl $name $patch $kubectl $name) }}
{{- end }}
{{- end }}
{{- end }}

{{/* A PrometheusRule of each file of generated/rules. They are plain files, so that promtool reads what is deployed; only
the namespace and the name that they watch are this release's, the alerts that are not wanted are left out, and the links
to the runbooks lead to where those are. */}}
{{- define "minio.prometheusRules" -}}
{{- $asked := .Values.prometheusRule }}
{{- $name := include "minio.fullname" . }}
{{- range $path, $content := .Files.Glob "generated/rules/*.yaml" }}
{{- $text := $content | toString | replace `namespace="credit"` (printf `namespace="%s"` $.Release.Namespace) }}
{{- $text = $text | replace `="minio-console"` (printf `="%s-console"` $name) }}
{{- $text = $text | replace `"minio-` (printf `"%s-` (include "minio.jobPrefix" $)) }}
{{- $file := $text | replace `="minio"` (printf `="%s"` $name) | fromYaml }}
{{- $groups := list }}
{{- range $group := $file.groups }}
{{- $rules := list }}
{{- range $rule := $group.rules }}
{{- if and $rule.alert $asked.runbookBaseUrl }}
{{- $_ := set $rule.annotations "runbook_url" (printf "%s/%s" (trimSuffix "/" $asked.runbookBaseUrl) (base $rule.annotations.runbook_url)) }}
{{- end }}
{{- if not (has $rule.alert $asked.disabled) }}{{ $rules = append $rules $rule }}{{ end }}
{{- end }}
{{- if $rules }}{{ $groups = append $groups (set $group "rules" $rules) }}{{ end }}
{{- end }}
{{- if $groups }}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ $name }}-{{ base $path | trimSuffix ".yaml" }}
  labels:
    {{- include "minio.labels" $ | nindent 4 }}
    {{- with $asked.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  groups:
    {{- toYaml $groups | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}

{{/* Name of the Secret with the server's certificate. */}}
{{- define "minio.tlsSecret" -}}
{{- .Values.tls.existingSecret | default (printf "%s-tls" (include "minio.fullname" .)) }}
{{- end }}

{{/* How the server is asked: https or http. */}}
{{- define "minio.scheme" -}}
{{- .Values.tls.enabled | ternary "https" "http" }}
{{- end }}

{{/* Has cert-manager issue that certificate, unless it is somebody else's. */}}
{{- define "minio.certificate" -}}
{{- if and .Values.tls.enabled (not .Values.tls.existingSecret) }}
{{- if not .Values.tls.issuer.name }}
{{- fail "tls.enabled needs a certificate: name a Secret with tls.crt, tls.key and ca.crt in tls.existingSecret, or an issuer of cert-manager's in tls.issuer.name" }}
{{- end }}
{{- if not (.Capabilities.APIVersions.Has "cert-manager.io/v1") }}
{{- fail "tls.issuer needs cert-manager (cert-manager.io/v1), which this cluster does not have: install it first, or name a Secret in tls.existingSecret" }}
{{- end }}
{{- $name := include "minio.fullname" . }}
{{- $inside := printf "%s.%s" $name .Release.Namespace }}
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ $name }}
  labels:
    {{- include "minio.labels" . | nindent 4 }}
spec:
  secretName: {{ include "minio.tlsSecret" . }}
  issuerRef:
    name: {{ .Values.tls.issuer.name }}
    kind: {{ .Values.tls.issuer.kind }}
    group: cert-manager.io
  commonName: {{ $name }}
  # Every name of the Service, and what a port-forward or the server's own pod asks.
  dnsNames: [{{ $name }}, {{ $inside }}, {{ $inside }}.svc, {{ $inside }}.svc.cluster.local, localhost]
  ipAddresses: [127.0.0.1]
  privateKey:
    algorithm: ECDSA
    size: 256
    rotationPolicy: Always
{{- end }}
{{- end }}

{{/* What a ServiceMonitor's endpoint says of it. */}}
{{- define "minio.scrapedOver" -}}
{{- if .Values.tls.enabled }}
scheme: https
tlsConfig:
  serverName: {{ include "minio.fullname" . }}
  ca:
    secret:
      name: {{ include "minio.tlsSecret" . }}
      key: ca.crt
{{- end }}
{{- end }}
