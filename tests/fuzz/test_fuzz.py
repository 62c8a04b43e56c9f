"""The same few texts every time; ``make fuzz`` tries others until its time is up."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from random import Random

import pytest
from cachekey.cli import main
from cachekey.text import Source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import grammar, neighbourly
from tests.fuzz.growth import BOUNDED, CONSTRUCTS, MOST_SECONDS, slow, steep, work
from tests.fuzz.invariants import check, hold, hold_all
from tests.fuzz.neighbours import BESIDE, KINDS
from tests.fuzz.run import corpus, failure

SHARES = 4
Maker = tuple[str, Callable[[Random], str], Mapping[str, str]]
MAKERS: dict[str, Maker] = {
    "a Dockerfile": (grammar.DOCKERFILE, grammar.dockerfile, {}),
    "a mount": (
        grammar.DOCKERFILE,
        lambda r: f"FROM debian:13\nRUN --mount={grammar.mount(r)} pip install x\n",
        {},
    ),
    "a script": (
        grammar.DOCKERFILE,
        lambda r: f"FROM debian:13\nRUN <<E\n{grammar.shell(r, 3)}\nE\n",
        {},
    ),
    "a devcontainer.json": (grammar.DEVCONTAINER, grammar.devcontainer, {}),
    **{name: (path, make, BESIDE) for name, (path, make) in KINDS.items()},
}


@pytest.mark.parametrize("share", range(SHARES))
def test_seeds(share: int) -> None:
    cases = corpus()
    broken = {seed: failure(seed, cases) for seed in range(share, 400, SHARES)}
    assert {seed: found for seed, found in broken.items() if found is not None} == {}


@pytest.mark.parametrize("name", MAKERS)
def test_grammars(name: str) -> None:
    """Hypothesis draws what the grammars choose, so that what it finds is as small as can be."""
    path, make, beside = MAKERS[name]

    @given(st.randoms(use_true_random=False))
    @settings(
        max_examples=int(os.environ.get("CACHEKEY_EXAMPLES", "15")),
        deadline=None,
        derandomize="CACHEKEY_EXAMPLES" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def tried(r: Random) -> None:
        hold(path, make(r), beside)

    tried()


SOME = sorted(CONSTRUCTS.keys() - neighbourly.CONSTRUCTS.keys() - BOUNDED)[::3]
SOME += sorted(neighbourly.CONSTRUCTS.keys() - BOUNDED)[::5]
"""``python -m tests.fuzz.growth`` counts all of them, which takes minutes."""


@pytest.mark.parametrize("share", range(SHARES))
def test_twice_the_text_is_twice_the_work(share: int) -> None:
    assert steep(SOME[share::SHARES], 8) == {}


def test_a_long_file_of_plain_steps_is_no_square_either() -> None:
    """What a rule does once for each pair of RUNs, and cheaply, shows only where there are many."""
    assert steep(["runs", "runs mounts", "runs ids", "cmds npm install"], 256) == {}


@pytest.mark.parametrize("share", range(SHARES))
def test_no_pattern_goes_back_and_forth(share: int) -> None:
    """Calls do not tell of a regular expression that backtracks; a long text does, in seconds."""
    assert slow(sorted(neighbourly.CONSTRUCTS)[share::16]) == {}


LONG_WORDS = ("a", "a.", "a/", "=", "a=", "-", ";", "(", "'", " ", "\n", "/etc/sudoers")
HOLDERS = {
    ".devcontainer/devcontainer.json": lambda text: json.dumps(
        {"image": "debian:13", "mounts": ["source=x,target=/w/x"], "postCreateCommand": text}
    ),
    ".github/workflows/long.yml": lambda text: (
        "jobs:\n  a:\n    runs-on: x\n    steps:\n      - run: docker build .\n      - run: |\n          y\n"
        "          x" + text.replace("\n", "\n          \n") + "\n"
    ),
    ".devcontainer/compose.yml": lambda text: (
        "services:\n  app:\n    image: x\n    command: >\n      x"
        + text.replace("\n", "\n\n")
        + "\nx: ["
    ),
}


@pytest.mark.parametrize("word", LONG_WORDS)
@pytest.mark.parametrize("path", HOLDERS)
def test_a_long_word_costs_in_proportion_to_its_length(path: str, word: str) -> None:
    """Commands of other files are looked at by patterns: none of them goes back and forth over a word."""
    text = HOLDERS[path](word * (60_000 // len(word)))
    start = time.process_time()
    work(path, text)
    assert time.process_time() - start < MOST_SECONDS / 4


def test_the_command_line_says_what_the_engine_says(tmp_path: Path) -> None:
    """What the language server says is compared with it in tests/lsp."""
    here = Path.cwd()
    for seed in range(24):
        (folder := tmp_path / str(seed)).mkdir()
        text = grammar.dockerfile(Random(seed))
        (folder / "Dockerfile").write_bytes(text.encode("utf-8", "surrogatepass"))
        out = io.TextIOWrapper(io.BytesIO(), "utf-8")
        try:
            os.chdir(folder)
            with redirect_stdout(out):
                main(["check", "--format", "json", "--jobs", "1", "."])
        finally:
            os.chdir(here)
        out.flush()
        said_bytes = out.buffer.getvalue()  # type: ignore[attr-defined]
        source = Source(text)
        said = {
            (item["code"], item["range"]["start"]["line"], item["message"])
            for item in json.loads(said_bytes)["findings"]
        }
        mine = {
            (item.code, source.line_of(item.span.start), item.message)
            for item in check("Dockerfile", text)
        }
        assert said == mine, text


@pytest.mark.parametrize("name", ["a Dockerfile", "a devcontainer.json", *KINDS])
def test_every_way_of_asking(name: str) -> None:
    path, make, beside = MAKERS[name]
    for seed in range(6 if beside else 12):
        hold_all(path, make(Random(seed)), beside)
