"""The cluster that `make up` made, the order of the tests, and what a failed one leaves to read."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import urllib3
from kubernetes import client

from scripts.kube import connect
from tests.e2e.cluster import API_PODS, CONTEXT, CREDIT, Cluster, shown
from tests.e2e.load import Load, steady_load
from tests.e2e.pods import Inside, running_pod
from tests.e2e.prometheus import Prometheus, open_prometheus
from tests.e2e.waiting import wait_until

HERE = Path(__file__).parent
ORDER = [
    "test_prediction",
    "test_releases",
    "test_pod_security",
    "test_network_policies",
    "test_watching",
    "test_dashboards",
    "test_alerts",
    "test_disruption",
    "test_following",
    "test_evidence",
    "test_console",
    "test_record",
    "test_batch",
    "test_scaling",
    "test_data",
    "test_rotation",
    "test_restore",
    "test_failover",
    "test_node_loss",
    "test_tls",
    "test_users",
]
"""What only looks comes before what disturbs, and what fewer need last: a run whose time is up leaves that out."""

figures = pytest.StashKey[dict[str, list[str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[figures] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return ORDER.index(item.path.stem) if item.path.parent == HERE else -1

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and item.path.parent == HERE:
        pods = shown("get", "pods", "--all-namespaces", "--output", "wide")
        events = shown("get", "events", "--namespace", CREDIT, "--sort-by", ".lastTimestamp").splitlines()
        report.sections += [("pods", pods), ("last events", "\n".join(events[-30:]))]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if found := config.stash[figures]:
        terminalreporter.section("figures")
        for what, told in found.items():
            terminalreporter.line(f"{what}: {'; '.join(told)}")


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps figures of this test for the summary at the end."""

    def keep(figure: str) -> None:
        request.config.stash[figures].setdefault(request.node.name, []).append(figure)

    return keep


@pytest.fixture(scope="session", autouse=True)
def cluster() -> Iterator[Cluster]:
    """The cluster with an API that is ready; without it no test runs."""
    try:
        api = connect(CONTEXT)
        found = Cluster(api)
        ready = found.ready_pods(API_PODS)
    except SystemExit as error:
        pytest.exit(str(error), returncode=1)
    except (client.ApiException, urllib3.exceptions.HTTPError) as error:
        pytest.exit(f"the cluster of context {CONTEXT} does not answer ({error}): run make up", returncode=1)
    if not ready:
        pytest.exit(f"no API pod is ready in namespace {CREDIT} of {CONTEXT}: run make up", returncode=1)
    yield found
    api.close()


@pytest.fixture(scope="session")
def visitor(cluster: Cluster) -> Iterator[Inside]:
    """A pod beside the API's, without any of the labels that open a door."""
    with running_pod(cluster, "e2e-visitor", on_control_plane=True) as pod:
        wait_until(lambda: pod.run("reach", "api:8000"), lambda it: it == {"api:8000": "connected"}, 60, "the network")
        yield pod


@pytest.fixture
def prometheus(cluster: Cluster) -> Iterator[Prometheus]:
    """Opened for each test: a drain may have moved it."""
    with open_prometheus(cluster) as found:
        yield found


@pytest.fixture
def under_load(visitor: Inside) -> Callable[[], AbstractContextManager[Load]]:
    """Starts a load that ends with its block."""
    return lambda: steady_load(visitor)
