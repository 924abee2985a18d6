"""Where aliases point and pointed, in a real registry."""

from collections.abc import Callable

import pytest

from app.errors import ModelMissing, ModelRefused
from app.registry import Registered, promote
from app.registry.aliases import roll_back, set_review_due, versions
from app.registry.client import connect
from app.settings import ServingSettings, Settings

Named = Callable[[str], Settings]
ALIAS = "production"
FILES = "d1"
"""Digest of the files that passed."""


def with_versions(settings: Settings, count: int) -> None:
    """That many versions without a model in them."""
    client, name = connect(settings), settings.mlflow.model_name
    client.create_registered_model(name)
    for _ in range(count):
        client.create_model_version(name, source="nowhere")


def let_name(settings: Settings, *numbers: str) -> None:
    """Promote those versions one after the other."""
    for number in numbers:
        promote(Registered(settings.mlflow.model_name, number, "", FILES), True, ["good"], settings)


def named(settings: Settings) -> str:
    return str(connect(settings).get_model_version_by_alias(settings.mlflow.model_name, ALIAS).version)


def test_rolling_back_goes_one_promotion_back_each_time(named_settings: Named) -> None:
    settings = named_settings("back")
    with_versions(settings, 3)
    let_name(settings, "1", "2", "3")
    assert roll_back(ALIAS, settings) == ("3", "2")
    assert roll_back(ALIAS, settings) == ("2", "1")
    assert named(settings) == "1"
    with pytest.raises(ModelMissing, match="no version is known that it named before"):
        roll_back(ALIAS, settings)


def test_an_alias_that_was_moved_by_hand_goes_back_to_where_it_was(named_settings: Named) -> None:
    settings = named_settings("by-hand")
    with_versions(settings, 4)
    let_name(settings, "1", "2")
    connect(settings).set_registered_model_alias("by-hand", ALIAS, "4")
    assert roll_back(ALIAS, settings) == ("4", "2")
    connect(settings).set_registered_model_alias("by-hand", ALIAS, "4")
    let_name(settings, "3")
    with pytest.raises(ModelRefused, match="credit registry adopt 4"):
        roll_back(ALIAS, settings)
    assert named(settings) == "3"
    anything = settings.model_copy(update={"serving": ServingSettings(require_verdict=False)})
    assert roll_back(ALIAS, anything) == ("3", "4")


def test_a_version_that_was_deleted_is_passed_over(named_settings: Named) -> None:
    settings = named_settings("deleted")
    with_versions(settings, 3)
    let_name(settings, "1", "2", "3")
    connect(settings).delete_model_version("deleted", "2")
    assert roll_back(ALIAS, settings) == ("3", "1")


def test_each_alias_has_a_history_of_its_own(named_settings: Named) -> None:
    settings = named_settings("two-aliases")
    with_versions(settings, 3)
    let_name(settings, "1", "2")
    for number in ("2", "3"):
        promote(Registered("two-aliases", number, "", FILES), True, [], settings, alias="challenger")
    assert roll_back("challenger", settings) == ("3", "2")
    assert named(settings) == "2"


def test_versions_come_newest_first_with_aliases_and_verdicts(named_settings: Named) -> None:
    settings = named_settings("listed")
    with_versions(settings, 2)
    let_name(settings, "1")
    promote(Registered("listed", "2", ""), False, ["too low", "too unfair"], settings)
    newest, oldest = versions(settings)
    assert (newest.version, newest.aliases, newest.gate) == ("2", [], "refused")
    assert newest.gate_reasons == ["too low", "too unfair"]
    assert (oldest.version, oldest.aliases, oldest.gate, oldest.figures) == ("1", [ALIAS], "passed", {})


def test_a_version_has_a_day_by_which_somebody_has_to_look_at_it_again(named_settings: Named) -> None:
    settings = named_settings("reviewed")
    with_versions(settings, 2)
    set_review_due("1", "2027-01-31", settings)
    assert [(it.version, it.review_due) for it in versions(settings)] == [("2", ""), ("1", "2027-01-31")]
    with pytest.raises(ModelMissing):
        set_review_due("7", "2027-01-31", settings)


def test_a_model_that_nobody_registered_is_missing(named_settings: Named) -> None:
    with pytest.raises(ModelMissing, match="cannot list nobody-registered"):
        versions(named_settings("nobody-registered"))
