{{/* Egress to the cluster's names: without it no address but a bare IP can be reached. */}}
{{- define "mlflow.egressToNames" -}}
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
