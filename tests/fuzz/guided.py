"""Lets coverage show the way to texts that break something: ``python -m tests.fuzz.guided``.

For libFuzzer under atheris, which ``make fuzz`` installs where it can be had. Arguments are libFuzzer's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cachekey"]):
    from tests.fuzz.grammar import DEVCONTAINER, DOCKERFILE
    from tests.fuzz.invariants import hold
from tests.fuzz.run import corpus

SEEDS = Path(".cache/fuzz")


def one(data: bytes) -> None:
    """Try the text that libFuzzer has made; its first letter chooses the kind of file."""
    text = data.decode("utf-8", "surrogateescape")
    hold(DEVCONTAINER if text[:1] == "J" else DOCKERFILE, text[1:])


def main() -> None:
    """Begin with the annotated cases."""
    SEEDS.mkdir(parents=True, exist_ok=True)
    for number, (path, text) in enumerate(corpus()):
        kind = "J" if path.endswith(".json") else "D"
        (SEEDS / str(number)).write_bytes((kind + text).encode("utf-8", "surrogatepass"))
    atheris.Setup([sys.argv[0], *sys.argv[1:], str(SEEDS)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
