"""What the OpenAPI document says about bodies and errors, for the routes to name."""

from typing import Any

from app.serving.api.inputs import RequestTypes
from app.serving.api.outcome_types import EXAMPLE_OUTCOME
from app.serving.http.access import NO_KEY, OUT_OF_SCOPE, OVER_LIMIT
from app.serving.http.paths import endpoint_of
from app.serving.http.problems import MEDIA_TYPE, title_of, type_of

MEANINGS: dict[int, str] = {
    400: "The header Idempotency-Key cannot be used, or the body was not sent to its end.",
    401: "There is no API key, or it is not known; only where the operator wants keys.",
    403: "The API key lacks the scope that this needs; only where the operator wants keys.",
    404: "There is no such thing, or not yet.",
    408: "The body stopped coming.",
    409: "The request with this Idempotency-Key is being answered; Retry-After says when to ask again (seconds).",
    413: "The body is larger than 64 KiB, or 4 MiB for a batch.",
    415: "The body is not declared as application/json (in UTF-8, not compressed). It has to be declared.",
    422: "The body is not a valid request; errors names each place. Not JSON at all is 422 too, and so is an"
    " Idempotency-Key that was sent with another body.",
    429: "The API key has asked as often as it may in this minute; only where the operator limits it. RateLimit tells"
    " of the limit in every answer to such a key, Retry-After when to ask again (seconds).",
    500: "The service failed.",
    503: "No model is loaded yet, decisions cannot be kept, or the database is away; Retry-After says when to ask "
    "again (seconds).",
}


def examples_of(types: RequestTypes) -> dict[str, dict[str, Any]]:
    """Of each body."""
    row = types.features_example
    by_name = {"data": {"applicant": types.applicant_example}}
    return {
        "PredictRequest": {
            "features": {"summary": "By position", "value": {"data": {"features": row}}},
            "applicant": {"summary": "By name", "value": by_name},
        },
        "BatchRequest": {"rows": {"summary": "Two applicants", "value": {"data": {"rows": [row, row]}}}},
        "OutcomesRequest": {"outcomes": {"summary": "A default", "value": {"outcomes": [EXAMPLE_OUTCOME]}}},
    }


KEY = "ApiKey"
KEY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key with the scope predict for decisions, read for the record and for explanations,"
    " outcomes for what became of them; none is needed where the operator wants none.",
}
REQUEST_ID = {
    "X-Request-ID": {"description": "The request's own id, or one that was made for it.", "schema": {"type": "string"}}
}
KEPT: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "X-Decision-ID": {
                "description": "The answer's decision_id; not sent when that is null.",
                "schema": {"type": "string", "format": "uuid"},
            }
        }
    }
}
"""For the `responses` of the route that answers one decision."""

RETRY_AFTER = {"Retry-After": {"description": "Seconds until it is worth asking again.", "schema": {"type": "integer"}}}
CHALLENGE = {"WWW-Authenticate": {"description": "The scheme: Bearer.", "schema": {"const": "Bearer"}}}
HEADERS: dict[int, dict[str, Any]] = {401: CHALLENGE, 409: RETRY_AFTER, 429: RETRY_AFTER, 503: RETRY_AFTER}
DETAILS: dict[int, str] = {
    400: "Idempotency-Key must be one text of 1 to 255 letters, digits and signs without spaces",
    401: NO_KEY,
    403: OUT_OF_SCOPE.format("predict"),
    404: "the database holds no decision of this id",
    408: "nothing more of the body came for 10 s",
    409: "the request with this Idempotency-Key is being answered; ask again",
    413: "the body may have at most 64 KiB",
    415: "send the header Content-Type: application/json",
    422: "data must hold exactly one of features and applicant",
    429: OVER_LIMIT.format(600),
    500: "boom",
    503: "no model is loaded: the first attempt to load one has not ended",
}


def example_of(status: int) -> dict[str, Any]:
    """What an answer of that status looks like."""
    example: dict[str, Any] = {
        "type": type_of(status),
        "title": title_of(status),
        "status": status,
        "detail": DETAILS[status],
    }
    if status == 422:
        example["errors"] = [{"pointer": "/data", "detail": DETAILS[status]}]
    return example | {"request_id": "0f8fad5b-d9cb-469f-a165-70867728950e"}


def add_keys(document: dict[str, Any]) -> None:
    """Say of every operation that may need an API key that it may, and how it refuses.

    May: the document is the same whether the operator wants keys or not.
    """
    document["components"]["securitySchemes"] = {KEY: KEY_SCHEME}
    for path, operations in document["paths"].items():
        endpoint = endpoint_of(path)
        for operation in operations.values():
            if endpoint.scope is None:
                operation["security"] = []
                continue
            operation["security"] = [{}, {KEY: []}]
            refusals = problems(401, 429) if endpoint.hidden else problems(401, 403, 429)
            operation["responses"] |= {str(status): told for status, told in refusals.items()}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": MEANINGS[status],
            "content": {MEDIA_TYPE.decode(): {"schema": schema, "example": example_of(status)}},
            "headers": REQUEST_ID | HEADERS.get(status, {}),
        }
        for status in statuses
    }


def body(schema: str, types: RequestTypes) -> dict[str, Any]:
    """For a route's `openapi_extra`: the body that it reads as bytes."""
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": examples_of(types)[schema]}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}
