"""Builds of the workspace on a real builder: keys with their arguments, and caches that a map carries.

What the dance action does is done here: its Dancefile fills a cache on the builder, then the build looks
whether the mount is warm. Our check must say the same, and our own map must make it warm.
"""

from __future__ import annotations

import json
import uuid

import pytest
from cachekey.builds.invocation import Entry
from cachekey.text import Span, Where
from cachekey.workspace.carried import cache_map, entry_key, needed
from cachekey.workspace.mapcheck import problems
from cachekey.workspace.project import Project

from .builders import Builder, Request, UnavailableError, builder
from .kinds import BASE

WORKFLOW = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: reproducible-containers/buildkit-cache-dance@v3
        with:
          cache-map: '{}'
      - uses: docker/build-push-action@v6
        with: {{build-args: {args}}}
"""
LOOK = ": {1}; if [ -e {0}/seed ]; then echo RES r warm; else echo RES r empty; fi"
"""The second part makes the step another one each time: an id alone is not in its digest."""


@pytest.fixture(scope="module")
def real() -> Builder:
    try:
        return builder("buildkit")
    except UnavailableError as error:
        pytest.skip(str(error))


def build(real: Builder, text: str, **args: str) -> dict[str, str]:
    done = real.build(Request(text, args))
    assert done.ok, done.log
    return done.labels


def workspace(dockerfile: str, made: object, args: str = "''") -> Project:
    texts = {
        "Dockerfile": dockerfile,
        ".github/workflows/ci.yml": WORKFLOW.format(json.dumps(made), args=args),
    }
    project = Project(read=texts.get)
    for path, text in texts.items():
        project.add(path, text)
    return project


def dance(real: Builder, options: object, nonce: str) -> None:
    """Fill a cache as the action's Dancefile does it."""
    given = {"target": options} if isinstance(options, str) else options
    assert isinstance(given, dict)
    flags = ",".join(("type=cache", *(f"{name}={value}" for name, value in given.items())))
    build(
        real,
        f"{BASE}FROM base\nRUN --mount={flags} echo {nonce} && touch {given['target']}/seed\n",
    )


MOUNTS = {
    "id": "id=@,target=/cache",
    "target": "target=/@",
    "owner": "id=@,target=/cache,uid=1000,gid=1000",
    "uid": "id=@,target=/cache,uid=1000",
    "mode": "target=/@,mode=0770",
    "argument": "id=@-$VARIANT,target=/cache,uid=7",
}
WRONG = {
    "no owner": lambda right: {k: v for k, v in right.items() if k not in ("uid", "gid", "mode")},
    "another id": lambda right: {**right, "id": "other"},
    "another owner": lambda right: {**right, "uid": 4711},
}


@pytest.mark.parametrize("name", MOUNTS)
def test_our_map_makes_the_mount_warm(real: Builder, name: str) -> None:
    nonce = f"d{uuid.uuid4().hex[:8]}"
    mount = MOUNTS[name].replace("@", nonce)
    folder = mount.split("target=")[1].split(",")[0]
    text = f"{BASE}FROM base\nARG VARIANT=full\nRUN --mount=type=cache,{mount} {LOOK.format(folder, nonce)}\n"
    project = workspace(text, {}, "VARIANT=slim")
    (item,) = project.index.builds("Dockerfile")
    wanted = needed(project, item)
    assert wanted is not None
    made = cache_map(wanted)
    (options,) = made.values()
    dance(real, options, item.name)
    project = workspace(text, made, "VARIANT=slim")
    summary = project.index.get(".github/workflows/ci.yml")
    assert summary is not None
    assert [list(problems(project, one)) for one in summary.dances] == [[]]
    assert build(real, text, VARIANT="slim") == {"r": "warm"}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["owner", "uid"])
def test_a_wrong_map_leaves_it_empty_and_we_say_so(real: Builder, name: str, wrong: str) -> None:
    nonce = f"d{uuid.uuid4().hex[:8]}"
    mount = MOUNTS[name].replace("@", nonce)
    text = f"{BASE}FROM base\nRUN --mount=type=cache,{mount} {LOOK.format('/cache', nonce)}\n"
    right = dict(option.split("=") for option in mount.split(","))
    options = WRONG[wrong](right)
    dance(real, options, wrong.replace(" ", "-"))
    project = workspace(text, {"x": options})
    summary = project.index.get(".github/workflows/ci.yml")
    assert summary is not None
    assert [problem.sure for problem in problems(project, summary.dances[0])] == [True]
    assert build(real, text) == {"r": "empty"}


def test_an_entry_is_a_mount(real: Builder) -> None:
    """What the builder refuses of a map is no key of ours either."""
    where = Where(0, "", 0)
    bad = Entry("x", (("target", "/x"), ("uid", "me")), Span(0, 0), where)
    assert entry_key(Project(), bad) is None
    done = real.build(Request(f"{BASE}FROM base\nRUN --mount=type=cache,target=/x,uid=me true\n"))
    assert not done.ok
