"""Tries texts until the time is up: ``python -m tests.fuzz.run SECONDS [FIRST SEED]``.

Each seed makes one text; a seed that breaks an invariant is printed with the text, so that it can be
tried again and become a test. Half of the texts come from the grammars, half are changed cases.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable

from tests.fuzz import grammar
from tests.fuzz.invariants import Broken, fixes_mend, hold, hold_all, nothing_is_swallowed

THOROUGH = 5
"""One text in so many is tried in every way."""
SHOWN = 3


def corpus() -> list[tuple[str, str]]:
    """Return the texts of all annotated cases."""
    from tests.checking.test_properties import samples

    return [(item.path, item.text) for item in samples()]


def text_of(seed: int, cases: list[tuple[str, str]]) -> tuple[str, str]:
    """Return the path and the text of a seed."""
    r = random.Random(seed)
    if seed % 2:
        path, text = r.choice(cases)
        path = grammar.DEVCONTAINER if path.endswith(".json") else grammar.DOCKERFILE
        return path, grammar.changed(r, text)
    path, make = r.choice(
        (
            (grammar.DOCKERFILE, grammar.dockerfile),
            (grammar.DOCKERFILE, grammar.dockerfile),
            (grammar.DEVCONTAINER, grammar.devcontainer),
        )
    )
    text = make(r)
    return path, text if r.random() < 0.7 else grammar.changed(r, text)


def failure(seed: int, cases: list[tuple[str, str]]) -> tuple[str, str] | None:
    """Try one seed; return what is broken and how, if something is."""
    path, text = text_of(seed, cases)
    thorough: list[Callable[[str, str], None]] = [hold_all, fixes_mend]
    try:
        with nothing_is_swallowed():
            for one in thorough if seed % THOROUGH == 0 else [hold]:
                one(path, text)
    except Broken as error:
        detail = "\n    ".join(str(item) for item in error.args[1:])
        return str(error.args[0]), f"{detail}\n--- {path}\n{text!r}"
    except Exception:
        return "no exception", f"{traceback.format_exc()}\n--- {path}\n{text!r}"
    return None


def work(number: int, step: int, first: int, seconds: float) -> tuple[int, Counter[str], list[str]]:
    """Try every ``step``-th seed until the time is up."""
    cases, end = corpus(), time.monotonic() + seconds
    tried, broken, shown = 0, Counter[str](), []
    seed = first + number
    while time.monotonic() < end:
        found = failure(seed, cases)
        if found is not None:
            broken[found[0]] += 1
            if broken[found[0]] <= SHOWN:
                shown.append(f"seed {seed}: {found[0]}\n    {found[1]}")
        tried += 1
        seed += step
    return tried, broken, shown


def main() -> None:
    """Share the seeds out over the processors, and say what fell."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else multiprocessing.cpu_count()
    shares = [(number, jobs, first, seconds) for number in range(jobs)]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        results = pool.starmap(work, shares)
    broken: Counter[str] = sum((item[1] for item in results), Counter())
    for item in results:
        for line in item[2]:
            print(line.encode("utf-8", "backslashreplace").decode())
    print(
        f"{sum(item[0] for item in results)} texts, {sum(broken.values())} broke something: {dict(broken)}"
    )
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
