"""Lets coverage show the way to texts that break something: ``python -m tests.fuzz.guided``.

For libFuzzer under atheris, which ``make fuzz`` installs where it can be had. Arguments are libFuzzer's.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["cachekey"]):
    from tests.fuzz.grammar import DEVCONTAINER, DOCKERFILE
    from tests.fuzz.invariants import hold
    from tests.fuzz.neighbours import BESIDE, KINDS
from tests.fuzz.run import corpus

SEEDS = Path(".cache/fuzz")


LETTERS = {str(number): path for number, (path, _) in enumerate(KINDS.values())}
"""What chooses a kind of file that is tried beside others."""


def one(data: bytes) -> None:
    """Try the text that libFuzzer has made; its first letter chooses the kind of file."""
    text = data.decode("utf-8", "surrogateescape")
    if text[:1] in LETTERS:
        hold(LETTERS[text[:1]], text[1:], BESIDE)
    else:
        hold(DEVCONTAINER if text[:1] == "J" else DOCKERFILE, text[1:])


def main() -> None:
    """Begin with the annotated cases."""
    SEEDS.mkdir(parents=True, exist_ok=True)
    for number, (path, text) in enumerate(corpus()):
        kind = "J" if path.endswith(".json") else "D"
        (SEEDS / str(number)).write_bytes((kind + text).encode("utf-8", "surrogatepass"))
    for number, (_, make) in enumerate(KINDS.values()):
        for seed in range(40):
            data = f"{number}{make(Random(seed))}".encode("utf-8", "surrogatepass")
            (SEEDS / f"{number}-{seed}").write_bytes(data)
    atheris.Setup([sys.argv[0], *sys.argv[1:], str(SEEDS)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
