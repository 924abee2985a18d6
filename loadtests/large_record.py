"""`python -m loadtests.large_record`: what a record of many decisions takes in a real Postgres, and how it is found in.

The decisions are made up, in the form and size of the service's own, spread over the last twelve months, by writers of
a hundred thousand each; they are kept, signed and verified by the service's own code.
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter, process_time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.chain import Chain, Entry, Link, link_of
from app.audit.commands.verify import verify
from app.audit.signing import Signer, Trust
from app.audit.store.database import open_engine
from app.audit.store.finding import Criteria, find
from app.audit.store.repository import Store
from app.audit.store.schema.migrating import migrate
from app.ids import Ids
from app.terminal import table
from app.times import DAY, Month, microseconds_now
from harness.postgres import Postgres, running_postgres
from loadtests.growth.keeping import FIELDS

A_WRITER, A_BATCH, MONTHS = 100_000, 2_000, 12
LOOKS = 20
SEED = 1


def links(count: int) -> Iterator[list[Link]]:
    """Batches of them, oldest first."""
    begin = microseconds_now() - MONTHS * 30 * DAY
    moments = iter(range(begin, begin + MONTHS * 30 * DAY, MONTHS * 30 * DAY // count))
    ids = Ids(lambda: next(moments))
    for first in range(0, count, A_WRITER):
        chain = Chain(Ids().next())
        end = min(first + A_WRITER, count)
        for start in range(first, end, A_BATCH):
            yield [link_of(*it) for it in _sealed(chain, range(start, min(start + A_BATCH, end)), ids)]


def _sealed(chain: Chain, numbers: Sequence[int], ids: Ids) -> list[tuple[str, str]]:
    entries = []
    for number in numbers:
        key = ids.next()
        fields = FIELDS | {"request_id": f"{key[:-1]}r", "caller": "bank", "application_id": f"A-{number}"}
        entries.append(Entry("decision", key, _moment(key), fields))
    sealed = chain.seal(entries)
    chain.advance(sealed)
    return sealed


def _moment(key: str) -> int:
    """Of a UUIDv7, microseconds since 1970."""
    return int(key[:8] + key[9:13], 16) * 1_000


def measured(server: Postgres, count: int) -> Iterator[tuple[str, str]]:
    """What was measured, and the figure."""
    uri = server.new_database()
    database = uri.rpartition("/")[2]
    signer = Signer(Ed25519PrivateKey.generate())
    engine = open_engine(uri)
    for months in range(-MONTHS, 1):
        migrate(engine, Month.of(microseconds_now()).plus(months))
    store = Store(engine)

    def asked(statement: str) -> float:
        return float(server.query(database, statement)[0][0])

    numbers = random.Random(SEED).sample(range(count), LOOKS)
    keys: dict[int, str] = {}
    made = 0
    written, seconds, own = asked("select pg_current_wal_lsn() - '0/0'"), 0.0, 0.0
    for batch in links(count):
        start, cpu = perf_counter(), process_time()
        store.insert(batch, signer)
        seconds, own = seconds + perf_counter() - start, own + process_time() - cpu
        keys |= {number: batch[number - made].key for number in numbers if made <= number < made + len(batch)}
        made += len(batch)
    written = asked("select pg_current_wal_lsn() - '0/0'") - written
    yield "inserted a second", f"{count / seconds:,.0f}"
    yield "... µs of CPU of whoever ships, a decision", f"{own / count * 1e6:.1f}"
    yield "... bytes of write-ahead log, a decision", f"{written / count:,.0f}"
    partitions = "pg_class join pg_inherits on pg_class.oid = inhrelid where inhparent = 'decisions'::regclass"
    heap = asked(f"select sum(pg_table_size(pg_class.oid)) from {partitions}")
    indexes = asked(f"select sum(pg_indexes_size(pg_class.oid)) from {partitions}")
    yield "bytes of the tables and of their indexes, a decision", f"{heap / count:,.0f}, {indexes / count:,.0f}"
    yield (
        "partitions that hold any",
        f"{asked(f'select count(*) from {partitions} and pg_table_size(pg_class.oid) > 99999'):.0f}",
    )
    start = perf_counter()
    server.query(database, "vacuum (analyze) decisions")
    yield "vacuum and analyze, s", f"{perf_counter() - start:.1f}"
    yield "a decision by its id, ms", _milliseconds(lambda it: store.decision(keys[it]), numbers)
    yield "... by its application, ms", _milliseconds(lambda it: _found(store, application_id=f"A-{it}"), numbers)
    yield "... by its request, ms", _milliseconds(lambda it: _found(store, request_id=f"{keys[it][:-1]}r"), numbers)
    yield (
        "the newest 50 of a client, ms",
        _milliseconds(lambda _: len(find(store, Criteria(caller="bank"), 50).decisions), numbers),
    )
    start = perf_counter()
    result = verify(store, None, None, [], lambda _: None, trust=Trust(frozenset({signer.public})))
    if not result.passed:
        raise SystemExit(f"error: the record does not verify: {result}")
    yield "verified a second, in one process", f"{result.links / (perf_counter() - start):,.0f}"
    engine.dispose()


def _found(store: Store, application_id: str | None = None, request_id: str | None = None) -> int:
    (decision,) = find(store, Criteria(application_id=application_id, request_id=request_id), 2).decisions
    return decision.sequence


def _milliseconds(look: Callable[[int], object], numbers: Sequence[int]) -> str:
    """The median of some looks, and the slowest."""
    found = []
    for number in numbers:
        start = perf_counter()
        look(number)
        found.append(perf_counter() - start)
    found.sort()
    return f"{found[len(found) // 2] * 1e3:.1f}, slowest {found[-1] * 1e3:.1f}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.large_record", description=__doc__.splitlines()[0])
    parser.add_argument("--decisions", type=int, default=1_000_000, help="default: %(default)s")
    options = parser.parse_args()
    lines = [[f"of {options.decisions:,} decisions", ""]]
    with running_postgres() as server:
        for what, figure in measured(server, options.decisions):
            lines.append([what, figure])
            sys.stderr.write(f"{what}: {figure}\n")
    sys.stdout.write(f"{table(lines, figures=True)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
