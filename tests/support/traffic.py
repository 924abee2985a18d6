"""Requests for decisions without a pause, and what was wrong with their answers."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.support.fakes import json_file

REQUEST = json_file("request.json")
CLIENTS = 2
TOLERANCE = 1e-9
"""The versions of a test are farther apart than that."""


@dataclass(slots=True)
class Traffic:
    """failed: not answered with 200; mixed: probability, version and URI of one answer that do not belong together."""

    answered: int = 0
    failed: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)


@contextmanager
def steady_traffic(url: str, probabilities: Mapping[str, float], uri: str) -> Iterator[Traffic]:
    """Traffic on a server while the block runs. probabilities: of each version, which give everybody the same."""
    traffic, stop, lock = Traffic(), threading.Event(), threading.Lock()

    def ask() -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            while not stop.is_set():
                try:
                    answer = client.post("/predict", json=REQUEST)
                except httpx.HTTPError as error:
                    with lock:
                        traffic.failed.append(repr(error))
                    continue
                with lock:
                    judge(answer)

    def judge(answer: httpx.Response) -> None:
        traffic.answered += 1
        if answer.status_code != 200:
            traffic.failed.append(f"{answer.status_code} {answer.text}")
            return
        told = answer.json()
        version = told["model_version"]
        traffic.versions.add(version)
        if (
            abs(told["probability"] - probabilities[version]) > TOLERANCE
            or told["model_uri"] != uri
            or answer.headers["X-Model-Version"] != version
        ):
            traffic.mixed.append(answer.text)

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        stop.set()
        for thread in threads:
            thread.join()
