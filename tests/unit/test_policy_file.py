"""A policy file with a mistake is refused with every place that is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.errors import PolicyInvalid, SettingInvalid
from app.policy_file import load_policy
from app.scoring.policy import Policy
from app.settings import ROOT, DecisionSettings, Settings
from harness.fields import CONTRACT

SHIPPED = (ROOT / "configs" / "policy.yaml").read_text()


def load(folder: Path, content: str | bytes, threshold: float | None = None) -> Policy:
    path = folder / "policy.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_policy(Settings(decision=DecisionSettings(policy_file=path, threshold=threshold)))


def changed(change: Callable[[Any], object]) -> str:
    """The shipped file after a change of its content."""
    document = yaml.safe_load(SHIPPED)
    change(document)
    return yaml.safe_dump(document)


def test_the_shipped_policy_has_words_for_every_factor() -> None:
    policy = load_policy(Settings())
    assert policy.threshold == 0.05
    assert set(policy.reasons) == set(CONTRACT.factor_names)


def test_comments_order_and_layout_do_not_count(tmp_path: Path) -> None:
    document = yaml.safe_load(SHIPPED)
    turned = yaml.safe_dump(dict(reversed(document.items())), sort_keys=False, default_flow_style=True)
    assert load(tmp_path, turned).version == load(tmp_path, SHIPPED).version


def test_the_threshold_of_the_settings_beats_the_files_and_is_part_of_the_version(tmp_path: Path) -> None:
    own, fixed = load(tmp_path, SHIPPED), load(tmp_path, SHIPPED, threshold=0.08)
    assert (own.threshold, fixed.threshold) == (0.05, 0.08)
    assert fixed.version == load(tmp_path, changed(lambda it: it.update(threshold=0.08))).version != own.version


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda it: it.pop("threshold"), "threshold is missing"),
        (lambda it: it.update(threshold=1), "threshold is 1: Input should be less than 1"),
        (lambda it: it.update(threshold="0.05"), "threshold is '0.05'"),
        (lambda it: it.update(treshold=0.05), "treshold is not known"),
        (lambda it: it["rules"][0].update(unless="age > 70"), "rules.0.unless is not known"),
        (lambda it: it["rules"][0].update(when="years < 18"), "rules.0.when: 'years' is no field"),
        (lambda it: it["rules"][0].update(when="age"), "rules.0.when: 'age' is no condition"),
        (lambda it: it["principal"].update(share=1), "principal.share is 1"),
        (lambda it: it["reasons"].pop("age"), "reasons.age is missing"),
        (lambda it: it["reasons"]["income"].pop("below"), "reasons.income.below is missing"),
        (lambda it: it["reasons"]["age"]["below"].update(code=True), "reasons.age.below.code is True"),
        (lambda it: it["reasons"]["age"]["below"].update(text=" no "), "reasons.age.below.text is ' no '"),
        (lambda it: it["reasons"]["age"]["below"].update(code="INCOME_LOW"), "code INCOME_LOW has two texts"),
        (lambda it: it["reasons"]["income"].pop("not_stated"), "reasons.income.not_stated is missing"),
        (lambda it: it["reasons"]["age"].update(above=it["unexplained"]), "reasons.age.above has no use"),
    ],
)
def test_a_mistake_is_refused_with_its_place(tmp_path: Path, change: Callable[[Any], object], reason: str) -> None:
    with pytest.raises(PolicyInvalid) as refusal:
        load(tmp_path, changed(change))
    assert str(refusal.value).startswith("policy policy.yaml: ")
    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "must hold threshold, reasons and unexplained"),
        ("- 0.05", "must hold threshold, reasons and unexplained"),
        ("threshold: [", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (f"{SHIPPED}\nthreshold: 0.9\n", "'threshold' is given twice"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: str | bytes, reason: str) -> None:
    with pytest.raises(PolicyInvalid, match=reason):
        load(tmp_path, content)


def test_two_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match=r"threshold is 2.*unexplained is missing"):
        load(tmp_path, changed(lambda it: (it.update(threshold=2), it.pop("unexplained"))))


def test_a_file_that_is_not_there_is_refused_like_a_bad_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r"none\.yaml cannot be read: No such file"):
        load_policy(Settings(decision=DecisionSettings(policy_file=tmp_path / "none.yaml")))
