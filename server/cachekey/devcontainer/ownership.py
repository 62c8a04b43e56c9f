"""Who may write to a fresh volume, and what gives it away.

An empty volume takes content, owner and mode of the directory that the image has there; without one
Docker makes it, and its missing parents, as root's (docs.docker.com, *Populate a volume using a
container*). A lifecycle command may hand it over later. Every answer here is one that all that was
read supports; where anything unread could say otherwise there is none.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator
from typing import Literal

from cachekey.buildkit.scope import Scope
from cachekey.commands.invocation import Invocation
from cachekey.commands.shellstate import Setting
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.lifecycle import Ran
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.paths import covers
from cachekey.dockerfile.purpose import is_remembered
from cachekey.dockerfile.records import Run, Stage, Step
from cachekey.record import record
from cachekey.syntax.dockerfile.tree import Instruction
from cachekey.syntax.shell.tree import Word

Owner = Literal["user", "root", "missing"]
"""Of a directory in the image: the container's user (or everybody) may write, only root, or none."""

_OWNING = frozenset(("chown", "chmod", "chgrp", "setfacl"))
_SYSTEM = frozenset(
    (
        *("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "media", "mnt", "nix"),
        *("opt", "proc", "root", "run", "sbin", "snap", "srv", "sys", "tmp", "usr", "var"),
        "workspace",
    )
)
"""Top directories that images have; anything may lie below them."""
_SETS_UP = re.compile(r"fix|perm|own|set-?up|init|post|entry|devcontainer|bootstrap|provision")
"""Parts of names of programs that may well be scripts which give directories away."""
_PROGRAMS = re.compile(r"bin(?:/[^/\s]*)?[\"'\]\s]*\Z|\$")
"""A target from which a shell starts programs by their bare names, or one that is not known."""
_OUTPUT = re.compile(r"/(?:node_modules|\.venv|venv|target|build|dist|\.next|\.turbo|\.nuxt)\Z")


@record(frozen=True)
class Unwritable:
    """A volume that its user cannot write to when it is new."""

    user: str
    certain: bool
    """False: below a home directory the image may have it already, though nobody says so."""
    chowned: bool = False
    """A command gives it away in a way that has no effect: without the right to."""


def unwritable(mount: RuntimeMount, container: Container) -> Unwritable | None:
    """Return the user who cannot write to the fresh volume of a mount, if that is known."""
    if mount.type != "volume" or mount.readonly or mount.opaque:
        return None
    place = container.place(mount)
    return None if place is None else unwritable_at(place, container, mount)


def unwritable_at(
    place: str, container: Container, mount: RuntimeMount | None = None
) -> Unwritable | None:
    """Tell the same of a volume on ``place`` that may not exist yet."""
    user = container.user
    if user is None or user.root or container.document.feature:
        return None
    if _handed_over(place, container) or _elsewhere(place, container, mount):
        return None
    nocopy = mount is not None and mount.nocopy
    owner = "missing" if nocopy else _in_image(place, container)
    if owner in ("root", "missing"):
        return Unwritable(user.name, True)
    home = container.home
    if owner is None and home is not None and covers(home, place) and place != home:
        bare = _in_image(f"/{user.name}-home{place[len(home) :]}", container) == "missing"
        bare = bare or (
            not container.builds and container.image is None and _featured(user.name, container)
        )
        if bare and not _named_in_build(place, container):
            return Unwritable(user.name, False)
    return None


def _featured(user: str, container: Container) -> bool:
    """Tell whether a feature makes the user, by the name that the file gives to it."""
    return any(
        use.known is not None and use.known.makes_user and use.option("username") == user
        for use in container.features
    )


# -- at run time ----------------------------------------------------------------------------------


def _handed_over(place: str, container: Container) -> bool:
    """Tell whether a command gives the place away, or might: one that nobody could read."""
    story = container.story
    if story.unread:
        return True
    return any(_gives(ran, place, container) for ran in story.items)


def _gives(ran: Ran, place: str, container: Container) -> bool:
    item = ran.item
    program = item.program or ""
    if program in _OWNING:
        # Only root may give away what is root's.
        return ran.user == "root" and owns(item, place)
    if program in ("find", "xargs", "install", "rsync", "cp") and ran.user == "root":
        words = [text or "" for text in item.texts]
        return not item.args_known or None in item.texts or _names(words, place)
    if ran.user == "root" and item.unfamiliar and ran.script is None:
        return _names([text or "?" for text in item.texts], place) or bool(_SETS_UP.search(program))
    if ran.script is not None:
        # What it runs comes by itself.
        return False
    known = container.knowledge.tool_for(program) is not None or not item.unfamiliar
    return not known and (bool(_SETS_UP.search(program)) or _made_by_build(program, container))


def owns(item: Invocation, place: str) -> bool:
    """Tell whether a chown or chmod may concern a directory: it, one around it, or a glob."""
    if not item.args_known:
        return True
    deep = recursive(item)
    return any(_may_be(path, place, deep) for path in owned_paths(item))


def recursive(item: Invocation) -> bool:
    """Tell whether a chown or chmod goes down into directories."""
    return any(
        text is not None and (text == "--recursive" or re.fullmatch(r"-\w*R\w*", text))
        for text in item.texts
    )


def owned_paths(item: Invocation) -> Iterator[str | None]:
    """Yield the paths that a chown or chmod names, absolute; None for one that is not known."""
    words = [(word, _value(item, word)) for word in item.args]
    operands = [text for _, text in words if text is None or not text.startswith("-")]
    reference = any(text is not None and text.startswith("--reference") for _, text in words)
    for text in operands if reference else operands[1:]:
        if text is None or (not text.startswith(("/", "~", "{")) and item.cwd is None):
            yield None
        elif text.startswith("~"):
            home = item.state.value("HOME")
            yield posixpath.normpath(home + text[1:]) if home and text[1:2] in ("", "/") else None
        else:
            yield posixpath.normpath(posixpath.join(item.cwd or "/", text))


def _value(item: Invocation, word: Word | Setting) -> str | None:
    """Return an operand with its globs; ``{}`` stands for what a variable tells behind its head."""
    found = item.resolve(word, globs=True)
    if found is not None or isinstance(word, Setting):
        return found
    head = re.match(r"\"?(/[^$`\"'\\]*)", word.written)
    return head.group(1) + "{}" if head else None


def _open(path: str | None, place: str) -> bool:
    """Tell whether a path is one that may well be the place, one around it or one below."""
    if path is None:
        return True
    head, brace, _ = path.partition("{")
    if not brace:
        return False
    return not head.startswith("/") or f"{place}/".startswith(head) or head.startswith(f"{place}/")


def _may_be(path: str | None, place: str, deep: bool) -> bool:
    if path is None or "{" in path:
        return _open(path, place)
    if re.search(r"[*?\[]", path):
        head = "/".join(place.split("/")[: path.count("/") + 1]) if deep else place
        return fnmatch.fnmatchcase(head, path) and head.count("/") == path.count("/")
    return covers(path, place) if deep else path == place


def _names(words: list[str], place: str) -> bool:
    return any(word.startswith("/") and covers(posixpath.normpath(word), place) for word in words)


def _elsewhere(place: str, container: Container, mount: RuntimeMount | None) -> bool:
    """Tell whether another service, an entry point or the host may give the volume away."""
    initialize = container.document.initialize
    if initialize is not None and re.search(r"\b(?:docker|podman|chown)\b", initialize.text):
        return True
    if container.foreign_features or (
        container.composition is not None and container.service is None
    ):
        return True
    if container.service is not None:
        if container.service.unread or _other_service(container, mount):
            return True
        entry = container.service.setting("entrypoint")
        command = container.service.setting("command")
        for setting in (entry, command):
            if setting is not None and not _idles(setting.words, setting.node.text):
                return True
    return _entry_point(container)


_IDLE = re.compile(
    r"(?:/bin/)?(?:ba)?sh|-l?c|sleep|infinity|tail|-f|/dev/null|while|true|:|do|done|\d+d?|&|;|wait|exec"
)


def _idles(words: tuple[str, ...] | None, text: object) -> bool:
    """Tell whether a command of a service only keeps the container alive."""
    said = " ".join(words) if words is not None else str(text or "")
    parts = re.findall(r"[^\s;\"']+|;", said)
    return all(_IDLE.fullmatch(part) for part in parts)


def _other_service(container: Container, mount: RuntimeMount | None) -> bool:
    """Tell whether another service, which may be root there, mounts the same volume."""
    composition, service = container.composition, container.service
    name = mount.volume if mount is not None else None
    if composition is None or service is None or name is None:
        return False
    for other in composition.services:
        found = composition.service(other) if other != service.name else None
        if found is not None and any(item.volume == name for item in found.mounts):
            return True
    return False


def _entry_point(container: Container) -> bool:
    """Tell whether an entry point of the Dockerfile may give directories away."""
    if container.stage is None:
        return False
    for link in container.stage.chain:
        for step in link.steps:
            if step.instruction.keyword == "ENTRYPOINT":
                words = [word.text for word in step.instruction.json or ()]
                if not words or any(re.search(r"\.sh\b|entry|init", word) for word in words):
                    return True
    return False


# -- in the image ---------------------------------------------------------------------------------


def _in_image(place: str, container: Container) -> Owner | None:
    """Tell who owns the image's directory at ``place``; None when that is not known."""
    if container.builds and container.stage is None:
        return None
    owner = _in_base(place, container)
    if container.stage is None:
        return owner
    for link in reversed(container.stage.chain):
        for step in link.steps:
            owner = _step(owner, step, place, container)
    return owner


def _in_base(place: str, container: Container) -> Owner | None:
    """Tell it of the image at the bottom and the features."""
    known = [use.known for use in container.features if use.known is not None]
    facts = [item for item in (container.image, *known) if item is not None]
    if any(covers(path, place) for item in facts for path in item.lacks):
        return "missing"
    for item in facts:
        if any(path == place for path in item.own):
            return "user"
        if any(covers(path, place) for path in item.own):
            return None
        if any(covers(s.path, place) or covers(place, s.path) for s in item.ships):
            return None
    if container.in_workspace(place):
        return "missing"
    if container.image is None:
        return None
    home = container.home
    if home is not None and covers(home, place) and container.image.facts.get("homes") == "bare":
        return None if place == home else "missing"
    return "missing" if place.split("/")[1] not in _SYSTEM else None


def _step(owner: Owner | None, step: Step, place: str, container: Container) -> Owner | None:
    """Tell what one instruction makes of the directory."""
    here = step.instruction
    if here.keyword == "RUN" and step.run is not None:
        return _run(owner, step.run, place, container)
    if here.keyword == "WORKDIR":
        behind = posixpath.normpath(posixpath.join("/", here.args.text))
        if covers(place, behind) and owner in ("missing", None):
            return _by(_is_root(step.scope))
    elif here.keyword in ("COPY", "ADD"):
        return _copy(owner, step, place)
    elif here.keyword == "VOLUME" and place in here.args.text:
        return None
    return owner


def _by(root: bool | None) -> Owner | None:
    return None if root is None else "root" if root else "user"


def _is_root(scope: Scope) -> bool | None:
    return None if is_remembered(scope, scope.user) else scope.user.is_root


def _copy(owner: Owner | None, step: Step, place: str) -> Owner | None:
    here: Instruction = step.instruction
    words = [word.text for word in here.json] if here.json else here.args.text.split()
    if not words:
        return owner
    workdir = step.scope.workdir.text if step.scope.workdir is not None else None
    target = words[-1]
    if not target.startswith("/") and workdir is None:
        return None
    target = posixpath.normpath(posixpath.join(workdir or "/", target))
    given = next((f.value.text for f in here.flags if f.name.text == "chown" and f.value), None)
    mine: Owner = "root" if given is None or given.partition(":")[0] in ("root", "0") else "user"
    if covers(place, target):
        return mine if owner in ("missing", None) or target == place else owner
    if covers(target, place) and not _OUTPUT.search(place):
        # Whether it is among what is copied or not, it is root's where root has both.
        return owner if mine == "root" and owner in ("root", "missing") else None
    return owner


def _run(owner: Owner | None, run: Run, place: str, container: Container) -> Owner | None:
    """Tell what the commands of a RUN make of the directory."""
    if _may_name(run, place):
        if not run.commands.complete:
            return None
        for item in run.commands.items:
            owner = _command(owner, item, run, place, container)
    return _made_by_tools(owner, run, place)


def _command(
    owner: Owner | None, item: Invocation, run: Run, place: str, container: Container
) -> Owner | None:
    root = _runs_as_root(item, run)
    program = item.program or ""
    paths = list(_operands(item))
    if program == "mkdir" or (program == "install" and "-d" in item.texts):
        return _mkdir(owner, item, paths, place, root)
    if program in _OWNING:
        if root is False or owner == "missing" or not owns(item, place):
            return owner
        if program == "chown" and _gives_to_nobody(item, run):
            return owner
        given = _given_to(item) if program == "chown" else None
        # Whether one around it reaches it depends on whether it is there.
        return given if owner == "root" or place in owned_paths(item) else None
    if program in ("rm", "mv"):
        return None if any(_may_be(path, place, True) for path in paths) else owner
    if program in ("useradd", "adduser") and owner is None and container.home == place:
        return "user"
    return None if item.opaque and not _fetched(run, place, container) else owner


def _fetched(run: Run, place: str, container: Container) -> bool:
    """Tell whether a RUN's unread program is one that it fetches, and the place none of its own.

    An installer from elsewhere writes below system directories and homes, and knows no others.
    """
    home = container.home
    at_home = home is not None and covers(home, place)
    foreign = not at_home and place.split("/")[1] not in _SYSTEM
    foreign = foreign or container.in_workspace(place)
    return foreign and re.search(r"\b(?:curl|wget)\b", run.text) is not None


def _mkdir(
    owner: Owner | None, item: Invocation, paths: list[str | None], place: str, root: bool | None
) -> Owner | None:
    if any(_open(path, place) for path in paths):
        return None
    if owner in ("root", "user") or not any(covers(place, path) for path in paths if path):
        return owner
    given = item.program == "install" or any((t or "").startswith("-m") for t in item.texts)
    return "user" if given else _by(root)


def _given_to(item: Invocation) -> Owner | None:
    """Tell to whom a chown gives, as the container's user sees it."""
    words = [text for text in item.texts if text is None or not text.startswith("-")]
    name = (words[0] or "").partition(":")[0] if words else ""
    return "root" if name in ("root", "0") else "user"


def _gives_to_nobody(item: Invocation, run: Run) -> bool:
    """Tell whether a chown's owner is ``$USER``, which no build sets: ``chown :`` changes nothing."""
    said = next((word.written for word in item.args if not word.written.startswith("-")), "")
    unset = "USER" not in run.scope.variables and item.state.value("USER") is None
    return unset and re.fullmatch(r"\"?\$\{?USER\}?(?::\$\{?USER\}?)?\"?", said) is not None


def _operands(item: Invocation) -> Iterator[str | None]:
    for word in item.args:
        text = _value(item, word)
        if text is None:
            yield None
        elif not text.startswith("-"):
            home = item.state.value("HOME") or "~"
            path = home + text[1:] if text.startswith("~") else text
            yield posixpath.normpath(posixpath.join(item.cwd or "/", path))


def _runs_as_root(item: Invocation, run: Run) -> bool | None:
    if item.user is not None:
        return item.user in ("root", "0")
    return _is_root(run.scope)


def _may_name(run: Run, place: str) -> bool:
    """Tell whether a RUN names the place or a directory around it, by text or by variables."""
    text = run.text
    parts = place.split("/")
    around = ["/".join(parts[:count]) for count in range(2, len(parts) + 1)]
    if any(re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w.-])", text) for path in around):
        return True
    return bool(re.search(r"\b(?:chown|chmod|mkdir|install|setfacl)\b", text))


def _made_by_tools(owner: Owner | None, run: Run, place: str) -> Owner | None:
    """A later ``npm ci`` of root makes the directory root's again."""
    for use in run.uses:
        for item in use.directories:
            if item.path and covers(place, item.path) and item.used is not False:
                if not any(m.directory and covers(m.directory, item.path) for m in run.caches):
                    by = _by(_runs_as_root(use.invocation, run))
                    if item.path == place:
                        return by if owner in ("missing", None) or by == "root" else owner
                    # What root makes further down leaves a directory that is there as it was; where
                    # the user made something, the user may write.
                    made = owner == "missing" or (owner is None and by == "user")
                    return by if made else owner
    return owner


def _named_in_build(place: str, container: Container) -> bool:
    stage: Stage | None = container.stage
    if stage is None:
        return False
    return any(
        _names_in(step.instruction.args.text, place) for link in stage.chain for step in link.steps
    )


def _names_in(text: str, place: str) -> bool:
    return re.search(rf"(?<![\w./-]){re.escape(place)}", text) is not None


def _made_by_build(program: str, container: Container) -> bool:
    """Tell whether the Dockerfile names a program, which then may be a script of the project."""
    if container.builds and container.stage is None:
        return True
    if container.stage is None or not program:
        return False
    word = re.compile(rf"(?<![\w-]){re.escape(program)}(?![\w-])")
    return any(
        step.instruction.keyword in ("COPY", "ADD")
        and word.search(step.instruction.args.text)
        and _PROGRAMS.search(step.instruction.args.text)
        for link in container.stage.chain
        for step in link.steps
    )
