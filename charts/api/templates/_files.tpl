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
