"""How many users there are at which moment of a load test."""

from math import ceil
from typing import Literal, get_args

Shape = Literal["constant", "ramp", "soak"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

RAMP_STEPS = 5
SOAK_EDGE_SECONDS = 60.0
"""How long a soak rises, and how long it rests at its end."""


def users_at(shape: Shape, users: int, run_seconds: float, elapsed_seconds: float) -> int | None:
    """Users at a moment of a run; None when it is over.

    constant: all of them. ramp: a fifth more in each fifth of the time, to see what the service can bear. soak: all of
    them after a rise, and a tenth at the end, to see whether the service goes back to where it was.
    """
    if elapsed_seconds >= run_seconds:
        return None
    if shape == "ramp":
        step = int(elapsed_seconds / run_seconds * RAMP_STEPS) + 1
        return ceil(users * step / RAMP_STEPS)
    if shape == "soak":
        edge = min(SOAK_EDGE_SECONDS, run_seconds / 4)
        if elapsed_seconds < edge:
            return max(1, ceil(users * elapsed_seconds / edge))
        return ceil(users / 10) if elapsed_seconds >= run_seconds - edge else users
    return users
