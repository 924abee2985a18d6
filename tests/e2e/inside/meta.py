"""Runs in a pod: the answer of GET URL/meta, as a JSON object."""

import json
import sys

import httpx

if __name__ == "__main__":
    json.dump(httpx.get(f"{sys.argv[1]}/meta", timeout=10).json(), sys.stdout)
