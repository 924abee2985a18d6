"""What is kept of a decision while others wait in the journal, and who is let in among many."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.chain import Entry
from app.audit.journal.writer import Journal
from app.audit.shipping.process import Database
from app.audit.shipping.rounds import Shipper
from app.audit.signing import Signer
from app.audit.store.database import open_engine
from app.audit.store.repository import Store
from app.callers.known import Caller, Callers, Scope
from app.ids import Ids
from app.times import microseconds_now
from loadtests.growth.series import Series, microseconds

KEYS, WAITING = (1, 10, 100, 1_000, 10_000), (1_000, 10_000, 100_000)
APPENDED = 2_000
GIGABYTE = 1 << 30
FIELDS = {
    "request_id": "0" * 36,
    "caller": None,
    "application_id": "A-1",
    "decision": "ACCEPT",
    "row": None,
    "features": [0.334208475, 36.0, 0.0, 0.399938471, 6500.0, 12.0, 0.0, 2.0, 0.0, 0.0],
    "model": {"name": "growth", "version": "1", "uri": "models:/growth/1", "digest": "d" * 64},
    "policy_version": "1d0be8443f75",
    "probability": 0.03136713306398614,
    "reasons": [],
}


def of_keys() -> Iterator[Series]:
    keys = [b"key-%d" % number for number in range(max(KEYS))]
    scopes: frozenset[Scope] = frozenset(["predict"])
    found = {}
    for count in KEYS:
        known = tuple(Caller(f"c{at}", sha256(key).digest(), scopes) for at, key in enumerate(keys[:count]))
        found[count] = microseconds(Callers(known).find, [keys[at % count] for at in range(500)])
    yield Series("API keys", "µs to find one", found)


def of_backlog() -> Iterator[Series]:
    appending: dict[int, float] = {}
    shipping: dict[int, float] = {}
    for waiting in WAITING:
        with TemporaryDirectory() as name:
            appending[waiting], shipping[waiting] = _kept(Path(name), waiting)
    yield Series("decisions waiting in the journal", "µs to keep one more", appending)
    yield Series("decisions waiting in the journal", "µs to ship one", shipping)


def _kept(folder: Path, waiting: int) -> tuple[float, float]:
    journal, ids = Journal(folder / "journal", GIGABYTE), Ids()
    for _ in range(waiting):
        _append(journal, ids)
    start = perf_counter()
    for _ in range(APPENDED):
        _append(journal, ids)
    appended = perf_counter() - start
    engine = open_engine(f"sqlite:///{folder / 'decisions.db'}", connections=1, create=True)
    target = Database(Store(engine), Signer(Ed25519PrivateKey.generate()))
    target.prepare()
    shipper = Shipper(folder / "journal", target)
    start = perf_counter()
    while shipper.round(60.0).pending:
        pass
    shipped = perf_counter() - start
    journal.close()
    engine.dispose()
    return appended / APPENDED * 1e6, shipped / (waiting + APPENDED) * 1e6


def _append(journal: Journal, ids: Ids) -> None:
    journal.append([Entry("decision", ids.next(), microseconds_now(), FIELDS)])
