"""Writes letters about refused decisions into files, and keeps in the record what was written."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.audit.chain import Chain, Entry, link_of
from app.audit.signing import Signer
from app.audit.store.repository import Store, Stored
from app.audit.store.review_rows import Review, final
from app.errors import LetterInvalid, RecordInvalid
from app.ids import Ids
from app.letters.template import LetterTemplate
from app.times import microseconds_now, utc

UNSETTLED = re.compile(r"\[[^\]\n]{1,200}\]")
"""What the template leaves to lawyers."""

KINDS = (".html", ".pdf")


@dataclass(frozen=True, slots=True)
class Letter:
    """About one decision. kept: the HTML without the address, which is what the record keeps."""

    decision_id: str
    html: str
    kept: str


@dataclass(frozen=True, slots=True)
class Written:
    """What letters were written, and whether they count."""

    letters: int
    output: str
    template_version: str
    unsettled: list[str]
    """Texts that lawyers have to settle still: then the letters are drafts, and nothing is kept of them."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        count = "1 letter" if self.letters == 1 else f"{self.letters:,} letters"
        if self.unsettled:
            return (
                f"{count} in {self.output}, as drafts that the record does not keep: the template still has"
                f" {', '.join(self.unsettled)}"
            )
        return f"{count} in {self.output}, kept in the record, by template {self.template_version}"


def letter_of(stored: Stored, template: LetterTemplate, to: Sequence[str], review: Review | None) -> Letter:
    """to: lines of the address. review: what a person decided, whose date and reasons are told then.

    Raises LetterInvalid for a decision that is no refusal, RecordInvalid.
    """
    fields = stored.to_link().fields
    try:
        verdict = final(fields["decision"], review)
        if verdict == "REVIEW":
            raise LetterInvalid(f"decision {stored.key} waits for a person: there is nothing to give notice of yet")
        if verdict != "REJECT":
            raise LetterInvalid(f"decision {stored.key} is an ACCEPT: there is nothing to give notice of")
        at, reasons = (review.at, review.reasons) if review else (fields["at"], fields["reasons"])
        values = {
            "to": list(to),
            "today": utc(microseconds_now())[:10],
            "decided": at[:10],
            "application_id": fields.get("application_id"),
            "decision_id": stored.key,
            "reasons": [reason["text"] for reason in reasons],
        }
    except (KeyError, TypeError) as error:
        raise RecordInvalid(f"decision {stored.key} is not what was written; credit audit verify says more") from error
    return Letter(stored.key, template.render(values), template.render(values | {"to": []}))


def write_letters(
    letters: Iterable[Letter], template: LetterTemplate, file_of: Callable[[Letter], Path], output: Path
) -> tuple[Written, list[Letter]]:
    """Into a file each. Gives what there is to tell, and the letters that count.

    file_of: the letter's file, which ends with .html or .pdf. Raises LetterInvalid.
    """
    written = []
    for letter in letters:
        path = file_of(letter)
        try:
            path.write_bytes(_content(letter, path))
        except OSError as error:
            raise LetterInvalid(f"{path} cannot be written: {error.strerror or error}") from error
        written.append(letter)
    unsettled = sorted({text for letter in written for text in UNSETTLED.findall(letter.kept)})
    told = Written(len(written), str(output), template.version, unsettled)
    return told, [] if unsettled else written


def _content(letter: Letter, path: Path) -> bytes:
    if path.suffix == ".html":
        return letter.html.encode()
    from app.letters.pdf import pdf_of

    return pdf_of(letter.html, f"Notice on decision {letter.decision_id}")


def keep_letters(store: Store, letters: Sequence[Letter], template: LetterTemplate, by: str, signer: Signer) -> None:
    """Each as a signed link about its decision. by: who sends them. Raises RecordUnavailable."""
    if not letters:
        return
    entries = [
        Entry(
            "letter",
            letter.decision_id,
            microseconds_now(),
            {"by": by, "template": template.name, "template_version": template.version, "html": letter.kept},
        )
        for letter in letters
    ]
    links = Chain(Ids().next()).seal(entries)
    store.insert([link_of(*it) for it in links], signer)
