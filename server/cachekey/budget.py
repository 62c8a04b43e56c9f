"""What one file may cost: steps of its readings, the length of its values, answers that are kept.

A file that people write costs a few thousand steps. One that is made to hang its reader asks for
billions: a variable that doubles with every line, ten thousand variables that ten thousand RUNs
see. So each *reading* begins with a budget and ends where that is gone; what was read until there
stands, and CK002 says so once.

Two things are readings: the instructions of a file, and the commands of one RUN. Each goes from the
front to the back of one text and does the same whoever asks, so that a file has the same findings
in every face, in every order. This is why there is no counter for all of a file: rules ask for a
RUN's commands when they need them, a hover may have asked before, and whoever came last would find
the counter empty. A RUN gets its share of the file's steps in advance instead. What is computed on
demand from what a reading has let through is not counted: it must be linear in that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar, cast

LONGEST_VALUE = 1 << 14
"""Characters of a variable's value or of an expanded word; nobody knows what is longer."""

FILE_STEPS = 4_000_000
"""For the instructions of a file, and a variable that is carried on from one to the next is one."""
INSTRUCTION_STEPS = 400
"""An instruction: ten thousand of them are too many ..."""
LETTER_STEPS = 10
"""... and so are 400,000 characters, which are all a script in the worst case."""

RUNS_STEPS = 1 << 24
"""For the commands of all RUNs of a file: a word, a character that a variable puts into a word, a
variable carried on to the next command. Each RUN has an equal share of them ..."""
RUN_STEPS = 1 << 16
"""... but no more than this ..."""
CHARACTER_STEPS = 32
"""... and these for each character of its own."""

TOLD = "this file asks for more work than Cachekey gives a file; what was read until here is checked"
"""What CK002 says where a budget was gone."""

_LONGEST_KEPT = 512
_F = TypeVar("_F", bound=Callable[..., object])


class SpentError(Exception):
    """The budget is gone."""


class Budget:
    """The steps that a reading has left."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        """Take steps; raises :class:`SpentError` when there are not enough."""
        self.left -= steps
        if self.left < 0:
            raise SpentError


def share(runs: int) -> int:
    """Return the steps that each of a file's ``runs`` RUNs has besides those for its characters."""
    return min(RUN_STEPS, RUNS_STEPS // max(1, runs))


def kept(maxsize: int) -> Callable[[_F], _F]:
    """Remember the answers of a function of texts, as ``lru_cache`` does it, but for long texts.

    What a file says must not stay in memory by the megabyte when the file is gone.
    """

    def decorate(function: _F) -> _F:
        remembered = lru_cache(maxsize)(function)

        @wraps(function)
        def call(*args: str) -> object:
            for text in args:
                if len(text) > _LONGEST_KEPT:
                    return function(*args)
            return remembered(*args)

        return cast("_F", call)

    return decorate
