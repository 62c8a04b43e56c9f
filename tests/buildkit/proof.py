"""The table of what the builders have proven: ``python -m tests.buildkit.proof`` writes PROOF.md.

It is made from the cases alone. The suite runs every case that it counts, so the table is true as
long as the suite passes; a test compares it with the file.
"""

from __future__ import annotations

from pathlib import Path

from . import cases, test_owners
from .builders import NAMES
from .session import ALL
from .setup import BUILDKIT
from .test_refusals import EXAMPLES

FILE = Path(__file__).with_name("PROOF.md")
VERSIONS = {"buildkit": BUILDKIT.removeprefix("v"), "docker": "20.10.24", "buildah": "1.28.2"}
"""The releases that ran every case last; another one that takes part is named by the suite."""

TITLES = {"buildkit": "BuildKit", "docker": "dockerd", "buildah": "Buildah"}
FACTS = {
    ("share", "identity"): "the name is the id as written, or the cleaned target",
    ("key", "base"): "uid, gid, mode and from join the key, by value",
    ("notkey", "ns", "notkey"): "user, sharing, stage, file, platform do not; a namespace does",
    ("parse", "parsing"): "how a flag is taken apart",
    ("expand", "expansion"): "variables: which, when, with what operators",
    ("syntax",): "lines, directives, heredocs, JSON, ONBUILD",
    ("multi", "several", "image"): "several mounts in one RUN, nested and hidden ones",
    ("perm",): "who owns a cache and may write to it, at first and later",
    ("sharing",): "what shared, private and locked do to each other",
    ("nocache", "layercache"): "what changes a step and what empties a cache",
    ("bad",): "mounts that are refused, and in which words",
}


def rows() -> list[list[str]]:
    """One row a fact: its words, and the number of cases on each builder."""
    found = []
    for groups, words in FACTS.items():
        taking = [case for case in ALL if case.group in groups]
        found.append([words, *(str(sum(name in c.expect for c in taking)) for name in NAMES)])
    owners = str(len(test_owners.VOLUMES) * len(test_owners.USERS))
    found.append(["every mix of uid, gid and mode, seen by three users", *[owners] * len(NAMES)])
    found.append(["more refusals, word for word", str(len(cases.refusals())), "", ""])
    found.append(["random flags, read by BuildKit's own frontend", f"{EXAMPLES}", "", ""])
    return found


def table() -> str:
    """The whole file."""
    titles = [f"{TITLES[name]} {VERSIONS[name]}" for name in NAMES]
    lines = [f"| fact | {' | '.join(titles)} |", "|---|" + "---:|" * len(titles)]
    lines += [f"| {' | '.join(row)} |" for row in rows()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
    print(f"wrote {FILE.name}")
