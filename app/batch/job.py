"""One file after the other: scored, unless that was done before by the same model under the same policy."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.batch.chunks import read_chunks
from app.batch.deciding import columns_of, deciding
from app.batch.output import Folder
from app.scoring.decider import Decider
from app.tables.find import Input

ID = "id"


@dataclass(frozen=True, slots=True)
class Options:
    """What the output depends on beside input, model and policy."""

    reasons: bool
    id_column: str | None


@dataclass(frozen=True, slots=True)
class Scored:
    """What happened to one file."""

    rows: int
    refused: int
    to_review: int
    """By a person."""
    skipped: bool
    """It was there already."""


COUNTS = ("rows", "refused", "to_review")


Progress = Callable[[int], object]
"""Takes the bytes of the input that are done since it was last called."""


def share_of(files: Sequence[Input], index: int, count: int) -> Sequence[Input]:
    """Every count-th file from that one on (from 0): the same shares wherever the same files are listed."""
    return files[index::count]


class Job:
    """Scores files into a folder: for each an output in Parquet and, once that is whole, a manifest of what made it."""

    def __init__(self, decider: Decider, output: Folder, options: Options) -> None:
        self._decider = decider
        self._output = output
        self._options = options
        self._decide = deciding(decider, options.reasons)

    def score(self, file: Input, progress: Progress) -> Scored:
        """Raises DataInvalid; then no output of that file remains that this run began."""
        name, manifest_name = f"{file.name}.decisions.parquet", f"{file.name}.decisions.json"
        made_from = self._made_from(file)
        manifest = self._output.read_json(manifest_name)
        if self._output.has(name) and _speaks_for(manifest, made_from):
            progress(file.size)
            return Scored(manifest["rows"], manifest["refused"], manifest["to_review"], skipped=True)
        # Before the output is replaced: no manifest may speak for one that it does not belong to.
        self._output.remove(manifest_name)
        with self._output.writing(name) as stream:
            scored = self._write(file, stream, progress)
        content = {"made_from": made_from} | {name: getattr(scored, name) for name in COUNTS}
        with self._output.writing(manifest_name) as stream:
            stream.write(json.dumps(content, indent=1).encode())
        return scored

    def _write(self, file: Input, stream: pa.NativeFile, progress: Progress) -> Scored:
        rows = refused = to_review = 0
        contract = self._decider.model.contract
        with ExitStack() as open_until_the_end:
            writer: pq.ParquetWriter | None = None
            for chunk in read_chunks(file, contract, self._options.id_column, contract.reads_ignored):
                decided = self._decide(chunk)
                batch = pa.RecordBatch.from_pydict({ID: chunk.ids, **decided.columns})
                if writer is None:
                    writer = open_until_the_end.enter_context(pq.ParquetWriter(stream, batch.schema))
                writer.write_batch(batch)
                rows, refused = rows + len(batch), refused + decided.refused
                to_review += decided.to_review
                progress(chunk.bytes)
        return Scored(rows, refused, to_review, skipped=False)

    def _made_from(self, file: Input) -> dict[str, Any]:
        """All that decides what the output holds."""
        identity = self._decider.model.identity
        return {
            "input": {"name": file.name, "bytes": file.size, "modified": file.modified},
            "model": {
                "name": identity.name,
                "version": identity.version,
                "uri": identity.uri,
                "digest": identity.digest,
            },
            "policy_version": self._decider.policy.version,
            "options": asdict(self._options),
            "columns": columns_of(self._options.reasons),
        }


def _speaks_for(manifest: Any, made_from: dict[str, Any]) -> bool:
    """Whether it is the manifest of an output that would be the same, and of this release's form."""
    return isinstance(manifest, dict) and manifest.get("made_from") == made_from and manifest.keys() >= {*COUNTS}
