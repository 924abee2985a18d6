"""Writes decisions as a table into a file, for analysis; some at a time, so that memory stays small."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.audit.store.about import in_chunks
from app.audit.store.repository import Store, Stored
from app.audit.store.review_rows import Review, reviews
from app.contract.contract import Contract
from app.errors import RecordError, RecordInvalid
from app.times import utc

Rows = list[dict[str, Any]]
ROW_GROUP = 20_000
"""Rows that a Parquet file compresses together."""

TEXTS = (
    "id",
    "at",
    "request_id",
    "caller",
    "application_id",
    "model_name",
    "model_version",
    "model_digest",
    "policy_version",
)


def columns_of(contract: Contract) -> dict[str, str]:
    """Names and kinds; `reasons` are the codes, strongest first, `review` is what a person decided."""
    asked = {it.name: "text" if it.type == "category" else "number" for it in contract.asked}
    return {
        **dict.fromkeys(TEXTS, "text"),
        "row": "integer",
        **asked,
        "probability": "number",
        "decision": "text",
        "reasons": "text",
        "challenger_version": "text",
        "challenger_probability": "number",
        "review": "text",
        "reviewed_by": "text",
    }


@dataclass(frozen=True, slots=True)
class Exported:
    """What was exported, into a file that is complete."""

    output: str
    decisions: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.decisions:,} decisions are in {self.output}"


def export(
    records: Iterable[Stored], store: Store, contract: Contract, output: Path, done: Callable[[int], None]
) -> Exported:
    """Write the decisions with their challengers' scores. done: called with how many more have been written.

    contract: that the decisions were made under.

    output: ends with .parquet or .csv; the file appears when it is complete.
    Raises RecordUnavailable, RecordInvalid for a decision that is not what was written, RecordError otherwise.
    """
    open_table = {".csv": _csv, ".parquet": _parquet}.get(output.suffix)
    if open_table is None:
        raise RecordError(f"--output {output} must end with .parquet or .csv")
    part = output.with_suffix(f"{output.suffix}.part")
    count = 0
    try:
        with open_table(part, columns_of(contract)) as write:
            for chunk in in_chunks(records):
                write(_rows(chunk, store, contract.asked_names))
                count += len(chunk)
                done(len(chunk))
        part.replace(output)
    except OSError as error:
        raise RecordError(f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return Exported(str(output), count)


def _rows(chunk: list[Stored], store: Store, names: Sequence[str]) -> Rows:
    keys = [it.key for it in chunk]
    scores, by_people = {it.key: it.to_link().fields for it in store.challengers(keys)}, reviews(store, keys)
    return [_row(stored, scores.get(stored.key), by_people.get(stored.key), names) for stored in chunk]


def _row(stored: Stored, score: dict[str, Any] | None, review: Review | None, names: Sequence[str]) -> dict[str, Any]:
    try:
        record = stored.to_link().fields
        model = record["model"]
        return {
            "id": stored.key,
            "at": utc(stored.at),
            "request_id": record["request_id"],
            "caller": record["caller"],
            "application_id": record.get("application_id"),
            "model_name": model["name"],
            "model_version": model["version"],
            "model_digest": model["digest"],
            "policy_version": record["policy_version"],
            "row": record["row"],
            **dict(zip(names, record["features"], strict=True)),
            "probability": record["probability"],
            "decision": record["decision"],
            "reasons": ";".join(it["code"] for it in record["reasons"]),
            "challenger_version": score and score["model"]["version"],
            "challenger_probability": score and score["probability"],
            "review": review and review.verdict,
            "reviewed_by": review and review.by,
        }
    except (RecordInvalid, KeyError, TypeError, ValueError) as error:
        reason = str(error) if isinstance(error, RecordInvalid) else "its content is no decision"
        raise RecordInvalid(f"decision {stored.key}: {reason}; credit audit verify says more") from error


@contextmanager
def _csv(path: Path, columns: dict[str, str]) -> Iterator[Callable[[Rows], None]]:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        yield writer.writerows


@contextmanager
def _parquet(path: Path, columns: dict[str, str]) -> Iterator[Callable[[Rows], None]]:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise RecordError(
            "Parquet needs pyarrow, which comes with what training needs (pip install pyarrow); or export to .csv"
        ) from error
    types = {"text": arrow.string(), "integer": arrow.int64(), "number": arrow.float64()}
    schema = arrow.schema([(name, types[kind]) for name, kind in columns.items()])
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        waiting: Rows = []

        def flush() -> None:
            if waiting:
                writer.write_table(arrow.Table.from_pylist(waiting, schema))
                waiting.clear()

        def write(rows: Rows) -> None:
            waiting.extend(rows)
            if len(waiting) >= ROW_GROUP:
                flush()

        yield write
        flush()
