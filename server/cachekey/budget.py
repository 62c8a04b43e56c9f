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
"""For the instructions of a file; a variable that is carried on from one to the next is one step."""
INSTRUCTION_STEPS = 400
"""An instruction: ten thousand of them are too many ..."""
LETTER_STEPS = 10
"""... and so are 400,000 characters, which in the worst case are all a script ..."""
MEETING_STEPS = 2000
"""... and 2,000 RUNs and mounts: rules look at each together with others."""

RUNS_STEPS = 1 << 24
"""For the commands of all RUNs of a file: a word, a character that a variable puts into a word, a
variable that is carried on from one command to the next. Each RUN has an equal share ..."""
RUN_STEPS = 1 << 19
"""... but no more than this."""
COMMAND_STEPS = 100
"""A command, and once more for each mount of its RUN: rules ask which of them it uses."""
NESTED_STEPS = 8
"""A character of a script within the script, or of a file that it calls: it has to be read, too."""

MOST_FINDINGS = 200
"""Of one rule in one file; nobody reads the same sentence more often."""
MOST_RELATED = 20
"""Places that explain one finding."""
MOST_EDITS = 250
"""Of one fix; one that changes more places is withheld."""

TOLD = (
    "This file asks for more work than Cachekey gives a file: what was read until here is checked"
)
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
    """Return the steps that each of a file's ``runs`` RUNs has for its commands.

    It is the same for a few more or less, so that one more RUN does not change all the others.
    """
    return min(RUN_STEPS, RUNS_STEPS >> max(0, runs - 1).bit_length())


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
