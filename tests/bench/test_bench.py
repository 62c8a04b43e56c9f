"""The benchmark itself: the same files every time, a report with every line. No time is judged here."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from tests.bench import cli_bench, corpus, editor, layers, run
from tests.bench.figures import FURTHER, PROMISES, Line
from tests.bench.measures import Measures
from tests.bench.report import render, row

FINGERPRINT = "f5900ca60f2920a93515ffbea2f8f16c917b15225e692da10ffdb18a5a392abc"
# What the engine's issue sets a goal for, in its order.
TABLE = (
    "CPU for 4 × the files",
    "memory a file",
    "files per second",
    "didChange → diagnostics, 93 lines, p50",
    "didChange → diagnostics, 93 lines, p95",
    "the same in the large workspace",
    "a file of 20,000 lines",
    "hover, p50",
    "codeAction, p50",
    "completion, p50",
    "references, p50",
    "peak memory of the server",
    "spawn → initialize",
    "first index",
    "progress shown",
    "`prove`",
)


def test_the_corpus_is_the_same_in_every_python() -> None:
    assert corpus.fingerprint() == FINGERPRINT


def test_the_corpus_does_not_depend_on_hashes() -> None:
    code = "from tests.bench.corpus import fingerprint; print(fingerprint())"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            cwd=run.HERE.parents[1],
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_files_have_the_length_they_should() -> None:
    lengths = [corpus.dockerfile(number).count("\n") for number in range(300)]
    assert min(lengths) >= 20
    assert max(lengths) <= 150
    assert corpus.subject().count("\n") == corpus.SUBJECT_LINES
    assert corpus.long_file(1000).count("\n") == 1000


def test_a_tree_says_who_shares_the_cache(tmp_path: Path) -> None:
    shared = corpus.write_tree(tmp_path, 7, shared_every=3)
    files = sorted(tmp_path.rglob("Dockerfile"))
    assert len(files) == 7
    assert shared == [path for path in files if corpus.SHARED_ID in path.read_text()]
    assert shared[-1] == files[-1]


def test_every_change_makes_a_new_text() -> None:
    lines, texts = corpus.subject().split("\n"), set()
    for line, start, end, new in islice(editor.changes(corpus.subject()), 400):
        lines[line] = lines[line][:start] + new + lines[line][end:]
        texts.add("\n".join(lines))
    assert len(texts) == 400


@pytest.mark.parametrize(
    ("files", "cpu", "for_four"), [(4, 4, 4), (4, 16, 16), (5, 5, 4), (5, 25, 16)]
)
def test_growth_is_for_four_times_the_files(files: float, cpu: float, for_four: float) -> None:
    assert cli_bench.growth(files, cpu) == pytest.approx(for_four)


def test_the_report_has_every_line_of_the_table() -> None:
    whats = [line.what for line in PROMISES]
    places = [next(n for n, what in enumerate(whats) if part in what) for part in TABLE]
    assert places == sorted(places)
    assert all(line.limit is not None for line in PROMISES)


def test_a_run_that_measured_nothing_is_reported_line_by_line() -> None:
    text = render(Measures(), [("an earlier one", Measures())])
    for line in (*PROMISES, *FURTHER):
        assert any(part.startswith(f"| {line.what} |") for part in text.splitlines())
    assert "## Before this round" in text


@pytest.mark.parametrize("path", sorted(run.HISTORY.glob("*.json")), ids=lambda path: path.stem)
def test_earlier_runs_can_be_compared_with(path: Path) -> None:
    title, measures = Measures.load(path)
    assert title in render(measures, [(title, measures)])


FAST = Line("edit", "edit.us.p50", "ms", 2, "edit.them.p50", "them")
MANY = Line("files", "rate.us", "/s", 7, "rate.them", "them", at_least=True)


@pytest.mark.parametrize(
    ("line", "values", "verdict"),
    [
        (FAST, {"edit.us.p50": 3.0, "edit.them.p50": 2.0}, "yes"),
        (FAST, {"edit.us.p50": 8.0, "edit.them.p50": 2.0}, "no: 2.00 × the goal"),
        (FAST, {"edit.us.p50": 8.0}, "not measured"),
        (MANY, {"rate.us": 70.0, "rate.them": 10.0}, "yes"),
        (MANY, {"rate.us": 35.0, "rate.them": 10.0}, "no: 2.00 × off"),
    ],
)
def test_a_goal_is_met_or_by_how_much_not(
    line: Line, values: dict[str, float], verdict: str
) -> None:
    assert line.verdict(Measures(values)) == verdict


def test_what_was_stopped_is_not_met_and_says_so() -> None:
    measures = Measures()
    measures.set("check.growth", 2.0, stopped="10 files: stopped after 3 s")
    line = Line("growth", "check.growth", "×", 4.2)
    assert line.verdict(measures) == "no: 10 files: stopped after 3 s"
    assert row(line, measures)[2] == "> 2 ×"


def test_a_peer_that_cannot_be_had_is_named() -> None:
    measures = Measures({"edit.us.p50": 3.0}, problems={"edit.them": "no node on this machine"})
    assert FAST.verdict(measures) == "not measured: no node on this machine"


def test_the_layers_can_still_be_measured() -> None:
    assert layers.measure(times=1).keys() == {"syntax", "and model", "and rules"}


def test_joining_can_still_be_measured() -> None:
    assert next(iter(layers.joining(10, 5).values())) >= 0
