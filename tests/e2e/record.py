"""The record of decisions on the cluster, as the database has it."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from tests.e2e.cluster import CREDIT, Cluster, kubectl
from tests.e2e.waiting import wait_until

SERVER = "postgres-0"
"""The pod of charts/postgres."""

ARRIVE_SECONDS = 180.0
"""From the end of a disturbance to the last record: shipping after an outage is tried with growing pauses."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What the database has of the decisions that were answered."""

    answered: int
    lost: int
    doubled: int

    def __str__(self) -> str:
        return f"{self.answered} answered, {self.lost} lost, {self.doubled} doubled"


def psql(statement: str, server: str = SERVER) -> list[str]:
    """The lines that a statement on the decisions' database gives, one a row. server: name of the pod."""
    command = [
        "psql",
        "--no-psqlrc",
        f"--username={'postgres' if server == SERVER else 'credit'}",
        "--dbname=credit",
        "--tuples-only",
        "--no-align",
    ]
    pod = ["--namespace", CREDIT, "exec", server, "--container", "postgres", "--"]
    return kubectl(*pod, *command, f"--command={statement}").stdout.splitlines()


def arrived(cluster: Cluster, answered: Collection[str], server: str = SERVER) -> Arrived:
    """Once every decision is in the database, or nothing more has come for as long as is waited.

    server: name of the database's pod.
    """
    cluster.wait_settled()

    def look() -> Arrived:
        rows = Counter(psql("select id from decisions", server))
        counts = [rows[it] for it in answered]
        return Arrived(len(counts), counts.count(0), sum(count > 1 for count in counts))

    wait_until(look, lambda found: found.lost == 0, ARRIVE_SECONDS, "every answered decision to be in the database")
    return look()
