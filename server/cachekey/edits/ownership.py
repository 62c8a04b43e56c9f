"""Gives fresh volumes to the container's user, in the way that this container allows.

Best in the Dockerfile it builds, which needs no right at run time; else by a command with sudo; and
where the image has no sudo, with the feature that brings it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from cachekey.devcontainer.container import Container
from cachekey.devcontainer.fresh import may_write_when_new
from cachekey.devcontainer.paths import covers
from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.records import Dockerfile, Stage
from cachekey.edits import devcontainer as edit
from cachekey.finding import FileEdit
from cachekey.record import record
from cachekey.syntax.jsonc import edit as jsonc_edit
from cachekey.text import Edit, Span

SUDO = "the command needs sudo in the container, without a password"
_ACTIVE = re.compile(r"""["\\`]|\$(?=\()""")
"""What ends double quotes or runs a command between them; variables keep their meaning."""
_SUDO_FEATURE = "ghcr.io/devcontainers/features/common-utils:2"


@record(frozen=True)
class Plan:
    """How the directories change hands."""

    steps: tuple[edit.Step, ...]
    """Edits of the devcontainer.json, one after the other."""
    others: tuple[FileEdit, ...]
    """Edits of the Dockerfile."""
    reason: str
    """Why it is not applied unasked."""
    where: str
    """Where it is done, to be put behind a title."""


def plan(container: Container, places: Sequence[str], filled: bool = True) -> Plan:
    """Give volumes on ``places`` (as written) to the user who runs the commands.

    ``filled``: a new one takes the owner of the image's directory over, as all do without ``nocopy``.
    """
    owned = dict.fromkeys(_around(place, container) for place in places)
    command = f"chown -R $(id -u):$(id -g) {' '.join(map(_quoted, owned))}"
    line = _owning(container, places) if filled else None
    return as_root(container, line, command, "cache-owner")


def folders_of(container: Container, folders: Sequence[str]) -> Plan:
    """Give folders of a home to the user who runs the commands, and nothing of what is mounted in them."""
    words = " ".join(map(_quoted, folders))
    user, stage = container.user, container.stage
    line = None
    if user is not None and stage is not None and user.name in stage.end.accounts:
        line = f"mkdir -p {words} && chown {user.name} {words}"
    return as_root(container, line, f"chown $(id -u):$(id -g) {words}", "home-owner")


def settle(container: Container, places: Sequence[str]) -> tuple[Plan | None, str]:
    """Give volumes that are new on ``places`` to the user, where they are not the user's anyway.

    Also return what is missing, in words: nobody knows of a volume that its image is not known.
    """
    rights = {place: may_write_when_new(place, container) for place in places}
    roots = [place for place in places if rights[place] == "no"]
    unsure = [place for place in places if rights[place] == "unknown"]
    made = plan(container, [*roots, *unsure]) if roots or unsure else None
    if not unsure or (made is not None and made.others):
        # Made and owned in the Dockerfile, they are the user's whatever the image had there.
        return made, ""
    user = container.user.name if container.user is not None else "the user of the container"
    missing = f"nobody can tell whether {user} may write to {' and '.join(unsure)}"
    return (plan(container, roots) if roots else None), missing


def open_way(container: Container, place: str) -> Plan | None:
    """Give the user the folders that Docker makes as root's around a mount on ``place``, if it does.

    ``place`` is absolute. What is mounted there itself may be the host's, and stays whose it is.
    """
    home, user = container.home, container.user
    if home is None or user is None or user.root or not covers(home, place) or place == home:
        return None
    around = [place]
    while (folder := posixpath.dirname(around[-1])) != home:
        around.append(folder)
    missing = [path for path in around[1:] if may_write_when_new(path, container) == "no"]
    if not missing:
        return None
    command = f"chown $(id -u):$(id -g) {' '.join(map(_quoted, missing))}"
    return as_root(container, _owning(container, [place]), command, "cache-owner")


def as_root(container: Container, line: str | None, command: str, label: str) -> Plan:
    """Let root do something once: by a RUN's ``line``, else by a ``command`` of the container.

    ``label`` names the command where commands have names.
    """
    built = _in_dockerfile(container, line) if line is not None else None
    if built is not None:
        return Plan((), (built,), "the image is built anew", "in the Dockerfile")
    document = container.document
    if container.user is not None and container.user.root:
        alone: edit.Step = lambda now: edit.run_first(now, command, label)  # noqa: E731
        return Plan(
            (alone,), (), "it runs when the container is made", "when the container is made"
        )
    steps: list[edit.Step] = [lambda now: edit.run_first(now, f"sudo {command}", label)]
    surely = edit.comes_first(document)
    reason = SUDO if surely else f"{SUDO}, and runs side by side with the other entries"
    where = "when the container is made"
    if container.user is not None and (container.sudo is False or container.sudo_only_named):
        options = sudo_options(container.user.name, container)
        steps.insert(0, lambda now: add_sudo(now, options))
        has = "gives sudo for named commands only" if container.sudo_only_named else "has no sudo"
        reason = f"the image {has}: the feature common-utils brings it"
        where = "when the container is made, with sudo from common-utils"
    return Plan(tuple(steps), (), reason, where)


def _quoted(place: str) -> str:
    plain = re.fullmatch(r"[\w./-]*(?:\$\{containerWorkspaceFolder\})?[\w./-]*", place)
    if plain:
        return place
    return '"' + _ACTIVE.sub(r"\\\g<0>", place) + '"'


def sudo_options(user: str, container: Container) -> Mapping[str, str]:
    """Return what the feature that brings sudo is told of a user.

    A number is none of its names: it gets the account of that number, one that is known, else a new
    one. Without any there is no sudo.
    """
    if not user.isdigit():
        return {"username": user}
    known: list[tuple[str, str]] = []
    if container.stage is not None:
        known += [(str(one.uid), name) for name, one in container.stage.end.accounts.items()]
    if container.image is not None:
        known += [(str(one.uid), one.name) for one in container.image.users]
    name = dict(known).get(user)
    return {"username": name} if name else {"username": "vscode", "userUid": user}


def add_sudo(document: Devcontainer, options: Mapping[str, str]) -> tuple[Edit, ...]:
    """Add the feature that installs sudo and gives a user, as its options name it, the right to it."""
    node = document.get("features")
    if node is not None and node.kind == "object":
        return jsonc_edit.set_member(document.source, document.root, node, _SUDO_FEATURE, options)
    added = {_SUDO_FEATURE: options}
    return jsonc_edit.set_member(document.source, document.root, document.root, "features", added)


def _in_dockerfile(container: Container, line: str) -> FileEdit | None:
    """Run something as root where the image is built."""
    dockerfile, stage = container.dockerfile, container.stage
    if dockerfile is None or stage is None or stage.instruction is None:
        return None
    at = _place_as_root(dockerfile, stage)
    return None if at is None else FileEdit(dockerfile.path, _insert(dockerfile, at, f"RUN {line}"))


def _owning(container: Container, places: Sequence[str]) -> str | None:
    """Return what makes the directories where the image is built: a new volume takes their owner."""
    stage, user = container.stage, container.user
    if stage is None or user is None:
        return None
    paths = [container.path(place) for place in places]
    plain = all(path is not None and re.fullmatch(r"[\w./+@-]+", path) for path in paths)
    if not plain or any(path and container.in_workspace(path) for path in paths):
        # The workspace's place is the container's business, the build does not know it.
        return None
    if user.name not in stage.end.accounts and not user.name.isdigit():
        return None
    named = [path for path in paths if path is not None]
    owned = list(dict.fromkeys(_top(path, container.home) for path in named))
    return f"mkdir -p {' '.join(named)} && chown -R {user.name} {' '.join(owned)}"


def _top(path: str, home: str | None) -> str:
    """Return what must change hands: below a home directory also the parents that are made."""
    if home is None or not covers(home, path) or path == home:
        return path
    return f"{home}/{path[len(home) :].strip('/').split('/')[0]}"


def _around(place: str, container: Container) -> str:
    """Return what must change hands when the container runs: Docker makes missing parents as root's, too.

    What else is mounted there may be the host's, whose owners are none of the container's business.
    """
    path, folder = container.path(place), container.folder
    if path is None or container.in_workspace(path):
        return place
    top = _top(path, container.home)
    others = (container.place(mount) for mount in container.mounts if mount.type != "volume")
    if any(other is not None and covers(top, other) for other in (*others, folder)):
        return place
    return place if top == path else top


def _place_as_root(dockerfile: Dockerfile, stage: Stage) -> tuple[int, bool] | None:
    """Return an offset where root runs the stage, and whether it is behind an instruction."""
    if stage.end.user.is_root:
        last = stage.steps[-1].instruction if stage.steps else stage.instruction
        return last.span.end, True
    for step in reversed(stage.steps):
        if step.instruction.keyword == "USER" and step.scope.user.is_root:
            return step.instruction.span.start, False
    return None


def _insert(dockerfile: Dockerfile, at: tuple[int, bool], line: str) -> Edit:
    source = dockerfile.source
    offset, behind = at
    number = source.line_of(offset)
    if not behind:
        start = source.line_starts[number]
        return Edit(Span(start, start), line + source.newline)
    end = source.line_span(number).end
    return Edit(Span(end, end), source.newline + line)


def writes(document: Devcontainer, edits: Sequence[Edit], made: Plan) -> Iterator[Edit | FileEdit]:
    """Yield edits of a devcontainer.json with those of a plan behind them."""
    yield from edit.together(document, edits, *made.steps) if made.steps else edits
    yield from made.others
