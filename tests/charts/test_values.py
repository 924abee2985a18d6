"""What every chart's values, their schema and their explanations have in common."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.charts.conftest import CHARTS, refusal
from tests.charts.variants import ALL, ci_values, schema_of, values_of


@pytest.mark.parametrize("chart", ALL)
def test_every_chart_is_tried_with_values_of_its_own(chart: str) -> None:
    assert ci_values(chart)


def differing_keys(values: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Keys that stand in only one of a values file and its schema. A schema that leaves keys open ends the search."""
    if schema.get("additionalProperties") is not False or not isinstance(values, dict):
        return
    known = set(schema["properties"])
    if path.startswith(("config.", "policy.")):
        known &= set(values)  # api takes every setting and every part of the policy; its values show what people change
    for key in sorted(set(values) ^ known):
        yield f"{path}{key}"
    for key in set(values) & known:
        yield from differing_keys(values[key], schema["properties"][key], f"{path}{key}.")


@pytest.mark.parametrize("chart", ALL)
def test_the_schema_knows_exactly_the_keys_of_the_values(chart: str) -> None:
    assert list(differing_keys(values_of(chart), schema_of(chart))) == []


@pytest.mark.parametrize("chart", ALL)
def test_a_misspelt_key_is_refused(chart: str) -> None:
    # What is global is every chart's of an installation, each with keys of its own.
    own = schema_of(chart)["properties"].keys() - {"global"}
    nested = [key for key in own if schema_of(chart)["properties"][key].get("properties")]
    assert nested
    assert "replicasCount" in refusal(chart, {"replicasCount": 1})
    for key in nested:
        assert "misspelt" in refusal(chart, {key: {"misspelt": 1}})


@pytest.mark.parametrize("chart", ALL)
def test_a_sentence_stands_above_every_value(chart: str) -> None:
    lines = (CHARTS / chart / "values.yaml").read_text().splitlines()
    known = schema_of(chart) if (CHARTS / chart / "values.schema.json").exists() else {}
    naked = []
    for number, key, path in keys_with_lines(lines):
        if described(known, path) and not re.match(r"\s*# ?\S", lines[number - 1]):
            naked.append(f"line {number + 1}: {key}")
    assert naked == []


def keys_with_lines(lines: list[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Each key of a block mapping with its line and the keys above it; lists are values, not keys."""
    above: list[tuple[int, str]] = []
    list_indent: int | None = None
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if line.lstrip().startswith("- "):
            list_indent = indent if list_indent is None else min(list_indent, indent)
            continue
        match = re.match(r"\s*([A-Za-z][\w.-]*):(\s|$)", line)
        if not match:
            continue
        if list_indent is not None and indent > list_indent:
            continue
        list_indent = None
        above = [(depth, key) for depth, key in above if depth < indent]
        yield number, match[1], [key for _, key in above]
        above.append((indent, match[1]))


def described(schema: dict[str, Any], path: list[str]) -> bool:
    """Whether the keys below the path are this chart's own, not Kubernetes' or another chart's."""
    if path[-1:] in (["resources"], ["capabilities"], ["seccompProfile"]):
        return False
    node = schema
    for key in path:
        node = node.get("properties", {}).get(key, {})
    return node.get("additionalProperties") is False or not path
