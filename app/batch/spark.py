"""Decisions on a Spark DataFrame: what its executors need is this package with numpy, pyarrow and pydantic, no MLflow.

    decisions = SparkDecisions.of(decider, id_column="application_id")
    frame.mapInArrow(decisions, decisions.schema("string")).write.parquet("decisions")

Spark itself is imported by whoever has the DataFrame, not here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from app.batch.chunks import Chunk
from app.batch.deciding import Decide, deciding
from app.contract.computed import wire_rows
from app.errors import DataInvalid
from app.scoring.decider import Decider
from app.scoring.model import ModelDocument, ScoringModel
from app.scoring.policy import Policy
from app.tables.checked import read_table
from app.tables.wanted import Wanted

ROWS = "the rows of a partition"


@dataclass(frozen=True, slots=True)
class SparkDecisions:
    """What `DataFrame.mapInArrow` calls on each partition, plain text so that it travels to executors.

    document, policy: JSON of the model and of what is decided by. id_column: what tells the rows apart. reasons:
    whether the codes of the refusals' reasons are wanted.
    """

    document: str
    policy: str
    id_column: str
    reasons: bool = True

    @classmethod
    def of(cls, decider: Decider, id_column: str, reasons: bool = True) -> "SparkDecisions":
        """Raises DataInvalid for a model that takes the row's number, which no row of a DataFrame has."""
        if decider.model.contract.reads_ignored:
            raise DataInvalid(
                "this model takes a field that the contract ignores, the row's number, which Spark has not"
            )
        document, policy = decider.model.document.to_json(), decider.policy.to_json()
        return cls(json.dumps(document), json.dumps(policy), id_column, reasons)

    def schema(self, id_type: str) -> str:
        """Of the result, as Spark's DDL. id_type: of the id's column, such as string or bigint."""
        reasons = "reasons array<string>, " if self.reasons else ""
        named = "model_version string, policy_version string"
        return f"id {id_type}, probability double, decision string, {reasons}out_of_range array<string>, {named}"

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The decisions on each batch, in its order, by the bits of `credit batch`. Raises DataInvalid."""
        decider, decide = _made(self.document, self.policy, self.reasons)
        contract = decider.model.contract
        for batch in (it for it in batches if len(it)):
            table = pa.Table.from_batches([batch])
            for found in read_table(table, ROWS, Wanted(contract, id_column=self.id_column)):
                asked = np.column_stack([found.columns[name].values for name in contract.asked_names])
                decided = decide(Chunk(found.ids, wire_rows(contract, asked), found.bytes))
                columns = {name: _plain(column) for name, column in decided.columns.items()}
                yield pa.RecordBatch.from_pydict({"id": found.ids, **columns})


@lru_cache(maxsize=2)
def _made(document: str, policy: str, reasons: bool) -> tuple[Decider, Decide]:
    """Compiled once for all the partitions of an executor's process."""
    model = ScoringModel.compiled(ModelDocument.from_json(json.loads(document)))
    decider = Decider(model, Policy.from_json(json.loads(policy)))
    return decider, deciding(decider, reasons)


def _plain(column: pa.Array) -> pa.Array:
    """Spark reads no dictionaries."""
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column
