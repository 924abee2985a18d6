"""Writes app/training/sample.csv.gz, the made-up applicants that training takes where DATA names no file."""

import gzip

from app.training.data import SAMPLE
from harness.sample import synthetic_frame

SEED = 20


def content() -> bytes:
    """The file: the same bytes on every machine."""
    text = synthetic_frame(SEED).rename(columns={"Unnamed: 0": ""}).to_csv(index=False, na_rep="NA")
    return gzip.compress(text.encode(), mtime=0)


if __name__ == "__main__":
    SAMPLE.write_bytes(content())
