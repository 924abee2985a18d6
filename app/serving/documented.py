"""What the OpenAPI document says about bodies and errors, for the routes to name."""

from typing import Any

from app.serving.problems import MEDIA_TYPE
from app.serving.schema import APPLICANT_EXAMPLE, FEATURES_EXAMPLE

MEANINGS: dict[int, str] = {
    413: "The body is larger than 64 KiB, or 4 MiB for a batch.",
    415: "The body is not declared as application/json (in UTF-8, not compressed). It has to be declared.",
    422: "The body is not a valid request; errors names each place. Not JSON at all is 422 too.",
    500: "The service failed.",
    503: "No model is loaded yet; Retry-After says when to ask again (seconds).",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "PredictRequest": {
        "features": {"summary": "Eleven values", "value": {"data": {"features": FEATURES_EXAMPLE}}},
        "applicant": {"summary": "By name", "value": {"data": {"applicant": APPLICANT_EXAMPLE}}},
    },
    "BatchRequest": {
        "rows": {"summary": "Two applicants", "value": {"data": {"rows": [FEATURES_EXAMPLE, FEATURES_EXAMPLE]}}}
    },
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": MEANINGS[status], "content": content} for status in statuses}


def body(schema: str) -> dict[str, Any]:
    """For a route's `openapi_extra`: the body that it reads as bytes."""
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": EXAMPLES[schema]}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}
