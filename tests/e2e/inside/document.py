"""Runs in a pod of the API's: the document in production as the server gets it, by its login or another."""

import asyncio
import json
import os
import sys

from app.errors import ModelForbidden
from app.serving.live.alias_reader import AliasReader
from app.settings import load_settings


async def fetched() -> dict[str, object]:
    settings = load_settings().mlflow
    reader = AliasReader(settings, settings.model_name, "production")
    try:
        pointer = await reader.read()
        content = await reader.document(pointer, 1 << 26)
    except ModelForbidden as error:
        return {"refused": str(error)}
    finally:
        await reader.close()
    return {"version": pointer.version, "has_document": content is not None}


if __name__ == "__main__":
    if sys.argv[1:] == ["anonymous"]:
        for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
            os.environ.pop(name, None)
    elif sys.argv[1:]:
        os.environ["MLFLOW_TRACKING_PASSWORD"] = sys.argv[1]
    json.dump(asyncio.run(fetched()), sys.stdout)
