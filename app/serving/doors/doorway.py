"""From rows of any protocol to decisions as /predict/batch makes them: read, decided, kept and counted alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from app.serving.api.batches import answer_batch
from app.serving.api.reading import Reader
from app.serving.http.request_ids import current_request_id, current_trace_id
from app.serving.live.challenger import Challenger
from app.serving.live.holder import Holder, Snapshot
from app.serving.record.recorder import Recorder, RequestContext


class DoorInvalid(Exception):
    """Says what is wrong with a request of another protocol, and repeats none of its values."""


class Deciding:
    """What the other doors share."""

    def __init__(self, reader: Reader, holder: Holder, challenger: Challenger, recorder: Recorder | None) -> None:
        self.reader = reader
        self.holder = holder
        self._challenger = challenger
        self._recorder = recorder

    async def decide(
        self, rows: Sequence[Sequence[Any]], ids: Sequence[Any] | None, caller: str | None
    ) -> tuple[Snapshot, list[dict[str, Any]]]:
        """rows: a JSON value a field, in wire order. ids: of the applications, one a row.

        Gives what decided, and as app.serving.api.schema.RowDecision a row. Raises BodyInvalid, NoModel, JournalFailed.
        """
        # What frames hold where a value is missing, and clients write though JSON has no such number.
        known = [[None if value != value else value for value in row] for row in rows]
        body = {"data": {"rows": known}} | ({} if ids is None else {"application_ids": ids})
        # Read as any other batch is, with the same checks and the same words.
        vectors, application_ids = self.reader.rows(to_json(body, inf_nan_mode="strings"))
        snapshot = self.holder.snapshot()
        context = RequestContext(current_request_id(), caller, current_trace_id())
        answer = await answer_batch(snapshot, vectors, self._recorder, context, application_ids)
        if self._recorder is not None:
            await self._recorder.on_disk()
        predictions: list[dict[str, Any]] = answer["predictions"]
        self._challenger.offer(snapshot, vectors, predictions)
        return snapshot, predictions

    def rows_of(self, columns: Mapping[str, Sequence[Any]], count: int) -> list[list[Any]]:
        """Columns by the names of the fields, as rows in wire order; what is ignored may be left out.

        Raises DoorInvalid.
        """
        fields = self.reader.contract.fields
        unknown = sorted(columns.keys() - {each.name for each in fields})
        missing = [each.name for each in fields if each.asked and each.name not in columns]
        if unknown or missing:
            known = ", ".join(self.reader.contract.asked_names)
            raise DoorInvalid(f"there are {len(unknown)} unknown and {len(missing)} missing columns; they are {known}")
        filled = [columns.get(each.name, [0.0] * count) for each in fields]
        return [list(row) for row in zip(*filled, strict=True)]
