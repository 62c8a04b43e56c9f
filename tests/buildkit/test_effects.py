"""What a RUN takes out of its cache mount: what Cachekey says, and what the next stage finds.

Each case is one RUN with a cache on /c, in which two files lie, and a file that the layer has afterwards
or has not. All of them are stages of one small build.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from cachekey.dockerfile.lost import held_by_cache
from cachekey.dockerfile.scoping import BuildOptions
from cachekey.dockerfile.stages import read_dockerfile
from cachekey.knowledge import Knowledge
from cachekey.text import Source

from . import builders, session
from .kinds import BASE

_FILLED = "mkdir -p /c/d /o && echo x > /c/f && echo y > /c/d/g"


@dataclass(frozen=True)
class Taken:
    """A command behind the filling of the cache."""

    command: str
    path: str
    """A file that is looked for in the layer."""
    there: bool
    says: bool | None
    """Cachekey's answer; None where nobody could know it from the words."""


CASES = [
    # Copies and moves whose source lies in the mount and whose destination does not.
    Taken("cp /c/f /o/", "/o/f", True, True),
    Taken("cp -r /c /o/", "/o/c/f", True, True),
    Taken("cp -a /c/. /o/", "/o/d/g", True, True),
    Taken("cp -t /o /c/f", "/o/f", True, True),
    Taken("cp -r /c/d /o/e", "/o/e/g", True, True),
    Taken("cp /c/* /o/ || true", "/o/f", True, True),
    Taken("cd /c && cp f ../o/", "/o/f", True, True),
    Taken("D=/o && cp /c/f $D/", "/o/f", True, True),
    Taken("mv /c/f /o/", "/o/f", True, True),
    Taken("mv /c/d /o/", "/o/d/g", True, True),
    Taken("cat /c/f > /o/f", "/o/f", True, True),
    Taken("cat < /c/f > /o/f", "/o/f", True, True),
    Taken("sed s/x/z/ /c/f > /o/f", "/o/f", True, True),
    Taken("find /c -name f -exec cp {} /o/ \\;", "/o/f", True, True),
    Taken("find /c -type f -exec mv -t /o {} +", "/o/g", True, True),
    Taken("tar -cf /o/a.tar -C /c f && tar -xf /o/a.tar -C /o", "/o/f", True, True),
    Taken("tar cf - /c | tar xf - -C /o", "/o/c/f", True, None),
    Taken("cat /c/f | tee /o/f", "/o/f", True, None),
    Taken("sh -c 'cp /c/f /o/'", "/o/f", True, True),
    Taken("(cd /c && cp f /o/)", "/o/f", True, True),
    Taken("for n in f; do cp /c/$n /o/; done", "/o/f", True, None),
    Taken("if [ -e /c/f ]; then cp /c/f /o/; fi", "/o/f", True, True),
    Taken("out() { cp /c/f /o/; } && out", "/o/f", True, True),
    Taken("echo f | xargs -I{} cp /c/{} /o/", "/o/f", True, None),
    # What only looks like it: links, copies within the mount, of something else, or not at all.
    Taken("ln -s /c/f /o/f", "/o/f", False, False),
    Taken("ln -s /c /o/c", "/o/c/f", False, False),
    Taken("cp /c/f /c/e", "/c/e", False, False),
    Taken("mv /c/f /c/d/", "/c/d/f", False, False),
    Taken("cp /bin/busybox /c/b", "/c/b", False, False),
    Taken("rm /c/f", "/c/f", False, False),
    Taken("touch /c/t", "/c/t", False, False),
    Taken("chmod 700 /c/f", "/c/f", False, False),
    Taken("cat /c/f", "/c/f", False, False),
    Taken("out() { cp /c/f /o/; } && true", "/o/f", False, False),
    Taken("echo cp /c/f /o/", "/o/f", False, False),
    Taken("tar -cf /c/a.tar -C /bin sh", "/c/a.tar", False, False),
    Taken("cp /c/f /o/f && rm /o/f", "/o/f", False, True),
]


def stage(number: int, case: Taken) -> str:
    """Write a stage whose RUN fills its own cache and takes something out, or not."""
    mount = f"--mount=type=cache,id=effect-{number},target=/c"
    return f"FROM base AS s{number}\nRUN {mount} {_FILLED} && {case.command}\n"


def dockerfile() -> str:
    """All cases, and a stage that looks at each of them."""
    stages = "".join(stage(number, case) for number, case in enumerate(CASES))
    numbered = list(enumerate(CASES))
    # One RUN for all: it is what a builder takes longest for.
    flags = " ".join(f"--mount=type=bind,from=s{n},target=/l{n}" for n, _ in numbered)
    looks = "; ".join(
        f"echo RES {n} $(cat /l{n}{case.path} >/dev/null 2>&1 && echo yes || echo no)"
        for n, case in numbered
    )
    return f"{BASE}{stages}FROM base\nRUN {flags} {looks}\n"


@pytest.mark.parametrize("name", builders.NAMES)
def test_what_the_next_stage_finds(name: str) -> None:
    found, built = session.built(name, dockerfile())
    wrong = []
    for number, case in enumerate(CASES):
        got = built.labels[str(number)] == "yes"
        found.count(f"effect-{number}", got == case.there)
        if got != case.there:
            wrong.append(f"{case.command}: {case.path} is {'there' if got else 'not there'}")
    assert wrong == []


@pytest.mark.parametrize("case", CASES, ids=[case.command for case in CASES])
def test_what_cachekey_says(case: Taken) -> None:
    text = f"{BASE}{stage(0, case)}"
    read = read_dockerfile("Dockerfile", Source(text), BuildOptions({}), Knowledge(), {}.get)
    last = read.stages[-1]
    assert last.runs[-1].effects.takes_out("/c") is case.says
    if held_by_cache(read, last, case.path) is not None:
        assert not case.there
