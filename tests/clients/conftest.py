"""The trained store and a server of it, as for the tests of the whole system."""

from collections.abc import Callable

import pytest

from harness.servers import Server
from tests.system.conftest import Store, serve, store, trained

__all__ = ["serve", "store", "trained"]


@pytest.fixture
def server(store: Store, serve: Callable[..., Server]) -> Server:
    started = serve(store)
    started.wait_ready()
    return started
