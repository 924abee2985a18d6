"""Which of a classifier's two classes is the default whose probability is asked for."""

from collections.abc import Sequence
from typing import Any

from app.errors import ModelRefused

OTHERS = (0, -1)
"""What the class beside 1 is called where 1 says yes; False equals 0 and True equals 1.

Beside 2 it need not say so: in the German credit data 1 is the good risk.
"""

REMEDY = (
    "name the one that means default by the version's tag positive_class or by serving.positive_class,"
    " or train it on 0 and 1"
)


def positive_index(classes: Sequence[Any], tag: str = "", setting: str = "") -> tuple[int, str]:
    """Index of the positive class, and the name that it was found by, empty where 1 or True said so itself.

    classes: in the estimator's order. tag: the one that the version's author names, which beats all else.
    setting: the one that counts where the classes do not say so themselves. Either is empty when nobody names one.
    Raises ModelRefused naming the classes and what to do.
    """
    shown = ", ".join(repr(each) for each in classes)
    if len(classes) != 2:
        raise ModelRefused(f"the model has {len(classes)} classes ({shown}); a decision needs a model of two")
    own = [index for index, each in enumerate(classes) if _says_yes(each, classes[1 - index])]
    if own and not tag:
        return own[0], ""
    if not (name := tag or setting):
        raise ModelRefused(f"the model's classes are {shown}, of which neither is known to mean default; {REMEDY}")
    found = [index for index, each in enumerate(classes) if name in (str(each), _whole(each))]
    if len(found) != 1:
        raise ModelRefused(f"the model's classes are {shown}, and none is {name!r}; {REMEDY}")
    return found[0], name


def _says_yes(value: Any, other: Any) -> bool:
    return all(isinstance(each, bool | int | float) for each in (value, other)) and value == 1 and other in OTHERS


def _whole(value: Any) -> str:
    """1 for 1.0, as people write it."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
