"""The cluster takes every manifest of every chart, and each release passes its own test."""

import pytest

from tests.e2e.cluster import RELEASES, documents, helm, kubectl, released_values

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("release", RELEASES)
def test_the_cluster_would_take_every_manifest_without_a_warning(release: str) -> None:
    namespace = RELEASES[release]
    versions = ["--api-versions", "monitoring.coreos.com/v1"]
    # With a look at the cluster, which keeps the passwords.
    where = ["--namespace", namespace, "--values", "-", "--dry-run=server", "--is-upgrade", *versions]
    rendered = helm("template", release, f"charts/{release}", *where, stdin=released_values(release)).stdout
    dry = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--namespace", namespace, "-f", "-"]
    done = kubectl(*dry, stdin=rendered)
    assert len(done.stdout.splitlines()) == len(documents(rendered)) > 0
    assert "Warning" not in done.stderr


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_passes_its_own_test(release: str) -> None:
    done = helm("test", release, "--namespace", RELEASES[release], "--timeout", "3m")
    assert "Phase:          Succeeded" in done.stdout
