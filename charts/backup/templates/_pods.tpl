{{/* A pod of this chart. Called with (list . COMPONENT): run dumps and keeps, restore fetches and loads, test looks. */}}
{{- define "backup.podOf" -}}
{{- $root := index . 0 }}
{{- $component := index . 1 }}
{{- $metadata := dict "labels" (merge (dict "app.kubernetes.io/component" $component) (include "backup.labels" $root | fromYaml)) }}
{{- if eq $component "test" }}
{{- $_ := set $metadata "name" (printf "%s-test" (include "backup.fullname" $root)) }}
{{- $_ := set $metadata "annotations" (dict "helm.sh/hook" "test" "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded") }}
{{- end }}
metadata:
  {{- toYaml $metadata | nindent 2 }}
spec:
  restartPolicy: Never
  {{- if eq $component "run" }}
  initContainers:
    {{- include "backup.databases" (list $root "dump") | nindent 4 }}
  containers:
    {{- include "backup.objects" (list $root "write") | nindent 4 }}
  {{- else if eq $component "restore" }}
  initContainers:
    {{- include "backup.objects" (list $root "read") | nindent 4 }}
  containers:
    {{- include "backup.databases" (list $root "load") | nindent 4 }}
  {{- else }}
  containers:
    {{- include "backup.objects" (list $root "check") | nindent 4 }}
  {{- end }}
  volumes:
    - name: dumps
      emptyDir:
        sizeLimit: {{ $root.Values.workspace.sizeLimit }}
    - name: tmp
      emptyDir: {}
    - name: scripts
      configMap:
        name: {{ include "backup.fullname" $root }}-scripts
    - name: passwords
      secret:
        secretName: {{ $root.Values.postgres.existingSecret }}
        defaultMode: 0440
        items:
          {{- range $root.Values.postgres.databases }}
          - key: {{ . }}-password
            path: {{ . }}-password
          {{- end }}
    {{- range $name, $store := dict "source" $root.Values.source "target" $root.Values.target }}
    {{- if $store.existingSecret }}
    - name: {{ $name }}
      secret:
        secretName: {{ $store.existingSecret }}
        defaultMode: 0440
        items:
          - key: {{ $store.accessKeyKey }}
            path: access-key
          - key: {{ $store.secretKeyKey }}
            path: secret-key
    {{- end }}
    {{- end }}
{{- end }}

{{/* The container that works on databases, by the script of that name. Called with (list . SCRIPT). */}}
{{- define "backup.databases" -}}
{{- $root := index . 0 }}
- name: {{ index . 1 }}
  image: {{ include "backup.image" (list $root $root.Values.image) }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [bash, /scripts/{{ index . 1 }}.sh]
  env:
    - name: DATABASES
      value: {{ join " " $root.Values.postgres.databases | quote }}
    - name: PGHOST
      value: {{ $root.Values.postgres.host | quote }}
    - name: PGPORT
      value: {{ $root.Values.postgres.port | quote }}
  resources:
    {{- toYaml $root.Values.resources | nindent 4 }}
  volumeMounts:
    - name: dumps
      mountPath: /dumps
    - name: tmp
      mountPath: /tmp
    - name: scripts
      mountPath: /scripts
      readOnly: true
    - name: passwords
      mountPath: /run/passwords
      readOnly: true
{{- end }}

{{/* The container that works on objects, by that command. Called with (list . COMMAND). */}}
{{- define "backup.objects" -}}
{{- $root := index . 0 }}
- name: objects
  image: {{ include "backup.image" (list $root $root.Values.copier.image) }}
  imagePullPolicy: {{ $root.Values.copier.image.pullPolicy }}
  command: [python, /scripts/backup.py, {{ index . 1 }}]
  env:
    - name: SOURCE_ENDPOINT
      value: {{ $root.Values.source.endpoint | quote }}
    - name: SOURCE_BUCKETS
      value: {{ join " " $root.Values.source.buckets | quote }}
    - name: TARGET_ENDPOINT
      value: {{ $root.Values.target.endpoint | quote }}
    - name: TARGET_LOCATION
      value: {{ $root.Values.target.location | quote }}
    - name: KEEP_DAYS
      value: {{ $root.Values.keepDays | quote }}
    - name: SET
      value: {{ $root.Values.restore.set | quote }}
  resources:
    {{- toYaml $root.Values.copier.resources | nindent 4 }}
  volumeMounts:
    - name: dumps
      mountPath: /dumps
    - name: tmp
      mountPath: /tmp
    - name: scripts
      mountPath: /scripts
      readOnly: true
    {{- range $name, $store := dict "source" $root.Values.source "target" $root.Values.target }}
    {{- if $store.existingSecret }}
    - name: {{ $name }}
      mountPath: /run/{{ $name }}
      readOnly: true
    {{- end }}
    {{- end }}
{{- end }}
