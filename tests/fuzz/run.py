"""Tries texts until the time is up: ``python -m tests.fuzz.run SECONDS [FIRST SEED [WORKERS]]``.

Each seed makes one text, some of them beside others in a small workspace; a seed that breaks an invariant
is printed with the text when it falls, so that it can be tried again and become a test. Half of the texts
come from the grammars, half are changed cases. Now and then a line says how many texts were tried, and
how many were analysed: a text is, with other line ends it is another one, and so it is after each fix.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from multiprocessing.queues import SimpleQueue

from tests.fuzz import grammar, invariants
from tests.fuzz.invariants import Broken, fixes_mend, hold, hold_all, nothing_is_swallowed
from tests.fuzz.neighbours import BESIDE, KINDS

THOROUGH = 5
"""One text in so many is tried in every way."""
SHOWN = 20
"""Texts that break the same are printed so often."""
EVERY = 30.0
"""Seconds between two lines that say how far it is."""


def corpus() -> list[tuple[str, str]]:
    """Return the texts of all annotated cases."""
    from tests.checking.test_properties import samples

    return [(item.path, item.text) for item in samples()]


Tried = tuple[str, str, Mapping[str, str]]
"""A path, its text, and what stands beside it."""


def text_of(seed: int, cases: list[tuple[str, str]]) -> Tried:
    """Return the file of a seed."""
    r = random.Random(seed)
    if seed % 2:
        path, text = r.choice(cases)
        path = grammar.DEVCONTAINER if path.endswith(".json") else grammar.DOCKERFILE
        return path, grammar.changed(r, text), {}
    kinds: Sequence[tuple[str, Callable[[random.Random], str], Mapping[str, str]]] = (
        *(((grammar.DOCKERFILE, grammar.dockerfile, {}),) * 4),
        *(((grammar.DEVCONTAINER, grammar.devcontainer, {}),) * 2),
        *((path, make, BESIDE) for path, make in KINDS.values()),
    )
    path, make, beside = r.choice(kinds)
    text = make(r)
    return path, text if r.random() < 0.7 else grammar.changed(r, text), beside


def failure(seed: int, cases: list[tuple[str, str]]) -> tuple[str, str] | None:
    """Try one seed; return what is broken and how, if something is."""
    path, text, beside = text_of(seed, cases)
    thorough: list[Callable[[str, str, Mapping[str, str]], None]] = [hold_all, fixes_mend]
    try:
        with nothing_is_swallowed():
            for one in thorough if seed % THOROUGH == 0 else [hold]:
                one(path, text, beside)
    except Broken as error:
        detail = "\n    ".join(str(item) for item in error.args[1:])
        return str(error.args[0]), f"{detail}\n--- {path}\n{text!r}"
    except Exception:
        return "no exception", f"{traceback.format_exc()}\n--- {path}\n{text!r}"
    return None


Said = tuple[int, int, list[tuple[str, str]]]
"""What a worker has done since it last said so: texts, analyses, and what broke and how."""


def work(
    number: int, step: int, first: int, seconds: float, said: SimpleQueue[Said | None]
) -> None:
    """Try every ``step``-th seed until the time is up."""
    cases, end = corpus(), time.monotonic() + seconds
    # Nothing of what is loaded is garbage; to look through it again and again takes a tenth of the time.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    tried, broken, next_word = 0, list[tuple[str, str]](), 0.0
    for seed in count(first + number, step):
        found = failure(seed, cases)
        if found is not None:
            broken.append((found[0], f"seed {seed}: {found[0]}\n    {found[1]}"))
        tried += 1
        now = time.monotonic()
        if now > next_word or broken or now > end:
            said.put((tried, invariants.analysed, broken))
            tried, broken, invariants.analysed, next_word = 0, [], 0, now + EVERY
        if now > end:
            break
    said.put(None)


def main() -> None:
    """Share the seeds out over the processors, and say what falls."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else multiprocessing.cpu_count()
    context = multiprocessing.get_context("spawn")
    said: SimpleQueue[Said | None] = context.SimpleQueue()
    workers = [
        context.Process(target=work, args=(number, jobs, first, seconds, said), daemon=True)
        for number in range(jobs)
    ]
    for worker in workers:
        worker.start()
    tried, analysed, broken, left, start = 0, 0, Counter[str](), jobs, time.monotonic()
    next_line = start + EVERY
    while left:
        news = said.get()
        if news is None:
            left -= 1
            continue
        tried, analysed = tried + news[0], analysed + news[1]
        for what, how in news[2]:
            broken[what] += 1
            if broken[what] <= SHOWN:
                print(how.encode("utf-8", "backslashreplace").decode(), flush=True)
        if time.monotonic() > next_line:
            _tell(tried, analysed, broken, time.monotonic() - start)
            next_line = time.monotonic() + EVERY
    _tell(tried, analysed, broken, time.monotonic() - start)
    sys.exit(bool(broken))


def _tell(tried: int, analysed: int, broken: Counter[str], seconds: float) -> None:
    print(
        f"{tried:,} texts, {analysed:,} analyses in {seconds:,.0f} s;"
        f" {sum(broken.values())} broke something: {dict(broken)}",
        flush=True,
    )


if __name__ == "__main__":
    main()
