"""The cluster takes every manifest of every chart, and each release passes its own test."""

import pytest

from tests.e2e.cluster import CREDIT, RELEASES, documents, helm, kubectl, released_values

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


SUSPENDED = ("get", "cronjob", "api-training", "--namespace", CREDIT, "--output", "jsonpath={.spec.suspend}")


def test_what_was_changed_by_hand_is_overwritten_only_where_somebody_says_so() -> None:
    values = released_values("api")
    anew = ("upgrade", "api", "charts/api", "--namespace", CREDIT, "--values", "-")
    before = kubectl(*SUSPENDED).stdout
    other = "false" if before == "true" else "true"
    patch = f'{{"spec": {{"suspend": {other}}}}}'
    kubectl("patch", "cronjob", "api-training", "--namespace", CREDIT, "--type", "merge", "--patch", patch)
    with pytest.raises(AssertionError, match=r'conflict with "kubectl-patch".*: \.spec\.suspend'):
        helm(*anew, stdin=values)
    assert kubectl(*SUSPENDED).stdout == other
    helm(*anew, "--force-conflicts", "--wait", "--timeout", "8m", stdin=values)
    assert kubectl(*SUSPENDED).stdout == before
