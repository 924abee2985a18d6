"""Where everything answers on the kind cluster, and who may log in: `python -m scripts.addresses --context CONTEXT`."""

import argparse

from scripts.kube import connect, secret


def main() -> None:
    """Print a line a service; the passwords are read from the cluster's Secrets."""
    parser = argparse.ArgumentParser(prog="python -m scripts.addresses", description="Addresses and passwords.")
    parser.add_argument("--context", required=True, help="kubeconfig context of the cluster")
    api = connect(parser.parse_args().context)
    minio, grafana = secret(api, "minio"), secret(api, "monitoring-grafana-admin", "monitoring")
    lines = [
        ("API", "http://127.0.0.1:8000/docs", ""),
        ("MLflow", "http://127.0.0.1:5000", ""),
        ("MinIO", "http://127.0.0.1:9001", f"{minio['root-user']} / {minio['root-password']}"),
        ("Prometheus", "http://127.0.0.1:9090", ""),
        ("Grafana", "http://127.0.0.1:3000", f"{grafana['admin-user']} / {grafana['admin-password']}"),
    ]
    for name, address, login in lines:
        print(f"{name:<11} {address:<28} {login}".rstrip())  # noqa: T201 - its output


if __name__ == "__main__":
    main()
