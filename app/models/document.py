"""The document of a registered model: one JSON file with all that serving needs, checked before it is believed.

It is what a cache entry keeps as model.json: training and adoption log it with the version, and its SHA-256 is a tag
there. A server that has it needs neither the model's own files nor any library that wrote them.
"""

import json
from dataclasses import replace
from hashlib import sha256

from app.errors import ModelRefused, NotCompilable
from app.models.pointer import Pointer
from app.scoring.model import ModelDocument, ScoringModel

DOCUMENT_FILE = "document.json"
"""Its name among the artifacts of the run that logged it."""


def document_bytes(document: ModelDocument) -> bytes:
    """The file's content."""
    return json.dumps(document.to_json()).encode()


def with_golden_probabilities(model: ScoringModel) -> ModelDocument:
    """The model's document, whose golden probabilities are to the last bit what it computes now."""
    reference = model.document.reference
    if reference is None:
        raise ModelRefused(f"{model.identity.uri} has no reference population: credit registry adopt makes one")
    scores = [model.score(model.contract.vector(row)) for row in reference.golden_rows]
    return replace(model.document, reference=replace(reference, golden_probabilities=scores))


def read_document(content: bytes, pointer: Pointer) -> ModelDocument:
    """The document in a file that the registry gave for that version.

    Raises ModelRefused when it is not the file whose digest the version's tag has, or is about another version.
    """
    found = sha256(content).hexdigest()
    if found != pointer.document_digest:
        raise ModelRefused(
            f"the document of {pointer.uri} is not the one that was registered ({found[:12]} instead of"
            f" {pointer.document_digest[:12]}): make it again with credit registry adopt {pointer.version}"
        )
    try:
        document = ModelDocument.from_json(json.loads(content))
        about = document.identity
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelRefused(f"the document of {pointer.uri} cannot be read ({type(error).__name__})") from error
    if (about.name, about.version, about.run_id) != (pointer.name, pointer.version, pointer.run_id):
        raise ModelRefused(
            f"the document of {pointer.uri} is about {about.uri}: credit registry adopt {pointer.version} makes its own"
        )
    if pointer.positive_class and document.positive_class != pointer.positive_class:
        raise ModelRefused(
            f"the tag positive_class of {pointer.uri} is {pointer.positive_class!r}, its document was made for"
            f" {document.positive_class or '1'!r}: credit registry adopt {pointer.version} makes another"
        )
    return document


def proven(document: ModelDocument) -> ScoringModel | None:
    """The compiled model of a document, after its golden rows came out to the last bit; None when it has no such form.

    Raises ModelRefused with the first golden row that did not, and where the document is damaged.
    """
    try:
        model = ScoringModel.compiled(document)
    except NotCompilable:
        return None
    prove_golden_rows(model, tolerance=0.0)
    return model


def prove_golden_rows(model: ScoringModel, tolerance: float) -> None:
    """Raises ModelRefused with the first golden row whose probability is further from the document's than that."""
    reference = model.document.reference
    if reference is None:
        return
    rows = zip(reference.golden_rows, reference.golden_probabilities, strict=True)
    for number, (row, expected) in enumerate(rows):
        found = model.score(model.contract.vector(row))
        if not abs(found - expected) <= tolerance:
            raise ModelRefused(
                f"{model.identity.uri}, golden row {number}: {found!r} instead of {expected!r}; make its document"
                f" again where it is served, with credit registry adopt {model.identity.version}"
            )
