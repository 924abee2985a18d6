"""Questions to the cluster's Prometheus and Alertmanager."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Any

import httpx

from tests.e2e.cluster import MONITORING, Cluster


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Its HTTP API."""

    client: httpx.Client

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of /api/v1."""
        answer = self.client.get(f"/api/v1/{path}", params=parameters)
        assert answer.is_success, f"Prometheus says {answer.status_code} to {path} {parameters}: {answer.text}"
        return answer.json()["data"]

    def values(self, query: str) -> list[float]:
        """The finite values of a query's series now."""
        values = [float(series["value"][1]) for series in self.ask("query", query=query)["result"]]
        return [value for value in values if isfinite(value)]

    def rules(self) -> list[dict[str, Any]]:
        """Every rule, with its health, and an alert's state."""
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def alert_state(self, name: str) -> str:
        """inactive, pending or firing; unknown when Prometheus has no such rule."""
        return next((rule["state"] for rule in self.rules() if rule["name"] == name), "unknown")


@contextmanager
def open_prometheus(cluster: Cluster) -> Iterator[Prometheus]:
    with cluster.port_forward("service/prometheus", 9090, MONITORING) as address:
        with httpx.Client(base_url=f"http://{address}", timeout=30) as client:
            yield Prometheus(client)


@contextmanager
def open_alertmanager(cluster: Cluster) -> Iterator[httpx.Client]:
    with cluster.port_forward("service/monitoring-alertmanager", 9093, MONITORING) as address:
        with httpx.Client(base_url=f"http://{address}", timeout=30) as client:
            yield client
