"""Which class means default is said by the classes, or by somebody; it is never guessed."""

from typing import Any

import pytest

from app.errors import ModelRefused
from app.scoring.classes import positive_index


@pytest.mark.parametrize(
    ("classes", "index"), [([0, 1], 1), ([0.0, 1.0], 1), ([False, True], 1), ([-1, 1], 1), ([1, 0], 0)]
)
def test_1_and_true_mean_default(classes: list[Any], index: int) -> None:
    assert positive_index(classes) == (index, "")
    assert positive_index(classes, setting="bad") == (index, "")


@pytest.mark.parametrize(
    "classes", [["default", "paid"], ["bad", "good"], [1, 2], [2, 3], ["0", "1"], [0, 2], ["1", 0]]
)
def test_classes_that_do_not_say_so_are_refused_with_the_remedy(classes: list[Any]) -> None:
    with pytest.raises(ModelRefused, match=r"classes are .*tag positive_class or by serving\.positive_class"):
        positive_index(classes)


@pytest.mark.parametrize("classes", [[0, 1, 2], ["a"], []])
def test_a_model_of_other_than_two_classes_is_refused(classes: list[Any]) -> None:
    with pytest.raises(ModelRefused, match=f"has {len(classes)} classes"):
        positive_index(classes, tag="1")


def test_the_tag_beats_the_classes_and_the_classes_beat_the_setting() -> None:
    assert positive_index([0, 1], tag="0") == (0, "0")
    assert positive_index([0, 1], setting="0") == (1, "")
    assert positive_index(["bad", "good"], tag="bad", setting="good") == (0, "bad")
    assert positive_index(["bad", "good"], setting="good") == (1, "good")
    assert positive_index([1.0, 2.0], setting="2") == (1, "2")


def test_a_name_of_no_class_is_refused() -> None:
    with pytest.raises(ModelRefused, match="'bad', 'good', and none is 'default'"):
        positive_index(["bad", "good"], tag="default")
