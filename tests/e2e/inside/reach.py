"""Runs in a pod: what becomes of a connection to each HOST:PORT of the arguments, as a JSON object."""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

TIMEOUT_SECONDS = 3.0
"""A policy drops packets: its refusal is silence."""


def outcome(target: str) -> str:
    """connected, refused, no answer, or no such name."""
    host, port = target.rsplit(":", 1)
    try:
        address = socket.gethostbyname(host)
    except socket.gaierror:
        return "no such name"
    try:
        with socket.create_connection((address, int(port)), TIMEOUT_SECONDS):
            return "connected"
    except TimeoutError:
        return "no answer"
    except ConnectionRefusedError:
        return "refused"


if __name__ == "__main__":
    with ThreadPoolExecutor() as pool:
        json.dump(dict(zip(sys.argv[1:], pool.map(outcome, sys.argv[1:]), strict=True)), sys.stdout)
