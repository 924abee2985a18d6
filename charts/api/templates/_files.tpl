{{/* Settings and policy in one folder, which the kubelet swaps as a whole; a file mounted by subPath would never change. */}}
{{- define "api.configVolume" -}}
- name: config
  projected:
    sources:
      - configMap:
          name: {{ include "api.fullname" . }}-config
      - configMap:
          name: {{ include "api.fullname" . }}-policy
{{- end }}

{{/* Address of the record's database; it holds a password, so it is never a plain value. */}}
{{- define "api.databaseVariable" -}}
- name: DATABASE_URI
  valueFrom:
    secretKeyRef:
      name: {{ .Values.audit.database.existingSecret }}
      key: {{ .Values.audit.database.uriKey }}
{{- end }}

{{/* The contract that the pods have, as YAML. */}}
{{- define "api.contract" -}}
{{- .Values.contract | default (.Files.Get "generated/contract.yaml" | fromYaml) | toYaml }}
{{- end }}

{{/* Name of the Secret with the key that signs the record. */}}
{{- define "api.signingSecret" -}}
{{- .Values.signing.existingSecret | default (printf "%s-signing" (include "api.fullname" .)) }}
{{- end }}

{{/* Where the containers that sign find that key, as a variable, a mount and a volume. */}}
{{- define "api.signingVariable" -}}
- name: AUDIT__SIGNING_KEY_FILE
  value: /etc/credit/signing/{{ .Values.signing.key }}
{{- end }}

{{- define "api.signingMount" -}}
- name: signing
  mountPath: /etc/credit/signing
  readOnly: true
{{- end }}

{{- define "api.signingVolume" -}}
- name: signing
  secret:
    secretName: {{ include "api.signingSecret" . }}
    defaultMode: 0440
    items:
      - key: {{ .Values.signing.key }}
        path: {{ .Values.signing.key }}
{{- end }}

{{/* The S3 server of training data and checkpoints, and the keys to it, as variables. */}}
{{- define "api.s3Variables" -}}
{{- $s3 := .Values.training.s3 }}
- name: MLFLOW_S3_ENDPOINT_URL
  value: {{ $s3.endpointUrl | quote }}
{{- with $s3.existingSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $s3.accessKeyKey }}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $s3.secretKeyKey }}
{{- end }}
{{- end }}

{{/* Where checkpoints are kept, as variables. */}}
{{- define "api.checkpointVariables" -}}
- name: AUDIT__CHECKPOINTS
  value: {{ .Values.audit.checkpoints.location | quote }}
{{ include "api.s3Variables" . }}
{{- end }}
