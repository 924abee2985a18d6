{{/* The logins that MLflow has of Secrets, the administrator's first; none while it asks for none. */}}
{{- define "mlflow.logins" -}}
{{- $found := list }}
{{- if .Values.auth.enabled }}
{{- $defaults := dict "usernameKey" "username" "passwordKey" "password" "permission" "READ" }}
{{- range prepend .Values.auth.users .Values.auth.administrator }}
{{- $found = append $found (merge (pick . "existingSecret" "usernameKey" "passwordKey" "permission") $defaults) }}
{{- end }}
{{- end }}
{{- toYaml $found }}
{{- end }}
