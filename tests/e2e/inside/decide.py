"""Runs in a pod: the answer of POST URL/predict to the body in the second argument, as a JSON object."""

import json
import sys

import httpx

if __name__ == "__main__":
    url, body = sys.argv[1:]
    answer = httpx.post(f"{url}/predict", content=body, headers={"Content-Type": "application/json"}, timeout=10)
    json.dump({"status": answer.status_code, "answer": answer.json()}, sys.stdout)
