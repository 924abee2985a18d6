"""`python -m loadtests.replicas`: what `make load` makes of 1, 2, 4 and 8 pods with a CPU limit, on the kind cluster.

The API's release is upgraded for each number and put back at the end. CPU is what the kernel counted for the containers
while the load ran; decisions are those that the pods counted, those of batches and the documented examples included.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.settings import ROOT
from app.terminal import table

NAMESPACE = "credit"
SERVERS = "app.kubernetes.io/component=server,app.kubernetes.io/name="
CPU = "cat /sys/fs/cgroup/cpu.stat 2>/dev/null || cat /sys/fs/cgroup/cpuacct/cpuacct.usage"
COUNTED = """
from urllib.request import urlopen
print(urlopen("http://localhost:8000/metrics").read().decode())
"""
HEAD = ("pods", "users", "requests/s", "decisions/s", "p50 ms", "p99 ms", "failed", "API us", "Postgres us")


def run(*command: str, stdin: str = "") -> str:
    done = subprocess.run(command, cwd=ROOT, input=stdin, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"error: {' '.join(command[:3])}: {done.stderr}")
    return done.stdout


def kubectl(context: str, *arguments: str) -> str:
    return run("kubectl", "--context", context, "--namespace", NAMESPACE, *arguments)


def upgrade(context: str, values: str, *sets: str) -> None:
    where = ("--kube-context", context, "--namespace", NAMESPACE, "--values", "-", "--wait", "--timeout", "10m")
    # The number of pods belongs to the autoscaler, which goes.
    run("helm", "upgrade", "api", "charts/api", *where, "--force-conflicts", *sets, stdin=values)
    kubectl(context, "rollout", "status", "deployment/api", "--timeout", "10m")


def pods(context: str, name: str) -> list[str]:
    """The running ones of a chart's servers that are not about to end."""
    found = json.loads(kubectl(context, "get", "pods", "--selector", SERVERS + name, "--output", "json"))["items"]
    return [it["metadata"]["name"] for it in found if "deletionTimestamp" not in it["metadata"]]


def cpu_seconds(context: str, name: str) -> float:
    """Of a chart's servers, since they started."""
    total = 0.0
    for pod in pods(context, name):
        told = kubectl(context, "exec", pod, "--container", name, "--", "sh", "-c", CPU)
        usage = re.search(r"usage_usec (\d+)", told)
        total += int(usage[1]) / 1e6 if usage else int(told) / 1e9
    return total


def decisions(context: str) -> float:
    """That all pods have counted since they started."""
    told = "".join(kubectl(context, "exec", pod, "--", "python", "-c", COUNTED) for pod in pods(context, "api"))
    return sum(float(value) for value in re.findall(r"^credit_decisions_total\{.*\} (\S+)$", told, re.MULTILINE))


def loaded(users: int, seconds: int, host: str) -> list[dict[str, Any]]:
    """What locust measured of each kind of request."""
    command = [str(Path(sys.executable).with_name("locust")), "--locustfile", "loadtests/locustfile.py", "--headless"]
    command += [
        "--users",
        str(users),
        "--spawn-rate",
        str(users),
        "--run-time",
        f"{seconds}s",
        "--host",
        host,
        "--json",
    ]
    # Missing the objective is no failure of this: pods at their limit are meant to.
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found: list[dict[str, Any]] = json.loads(told.stdout[told.stdout.index("[") : told.stdout.rindex("]") + 1])
    return found


def percentile(counts: dict[str, int], share: float) -> float:
    """In ms, of locust's rounded response times and how often each was seen."""
    left = share * sum(counts.values())
    for time in sorted(counts, key=float):
        left -= counts[time]
        if left <= 0:
            return float(time)
    return float("nan")


def measured(context: str, count: int, options: argparse.Namespace) -> list[str]:
    before = (decisions(context), cpu_seconds(context, "api"), cpu_seconds(context, "postgres"))
    kinds = loaded(options.users, options.seconds, options.host)
    after = (decisions(context), cpu_seconds(context, "api"), cpu_seconds(context, "postgres"))
    made, api, postgres = (late - early for early, late in zip(before, after, strict=True))
    requests, failed = (sum(it[name] for it in kinds) for name in ("num_requests", "num_failures"))
    (single,) = [it["response_times"] for it in kinds if it["name"] == "/predict"]
    rates = [f"{it / options.seconds:.0f}" for it in (requests, made)]
    slow = [f"{percentile(single, share):g}" for share in (0.5, 0.99)]
    costs = [f"{1e6 * it / made:.0f}" for it in (api, postgres)]
    return [str(count), str(options.users), *rates, *slow, str(failed), *costs]


@contextmanager
def as_it_was(context: str) -> Iterator[str]:
    """The values of the API's release, which it has again at the end."""
    values = run(
        "helm", "get", "values", "api", "--kube-context", context, "--namespace", NAMESPACE, "--output", "yaml"
    )
    try:
        yield values
    finally:
        upgrade(context, values)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.replicas", description=__doc__)
    parser.add_argument("--context", default="kind-credit")
    parser.add_argument("--host", default="http://127.0.0.1:8000")
    parser.add_argument("--pods", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--cpu", default="200m", help="limit of each pod")
    parser.add_argument("--users", type=int, default=40, help="of locust, each with ten requests a second")
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args(arguments)
    rows = []
    with as_it_was(options.context) as values:
        for count in options.pods:
            sets = ["autoscaling.enabled=false", f"replicaCount={count}", f"resources.limits.cpu={options.cpu}"]
            sets.append("resources.requests.cpu=20m")
            upgrade(options.context, values, *(it for text in sets for it in ("--set", text)))
            rows.append(measured(options.context, count, options))
    sys.stdout.write(f"{table([list(HEAD), *rows])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
