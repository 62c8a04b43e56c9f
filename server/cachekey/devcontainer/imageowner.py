"""Who owns a directory of a dev container's image: base, features, and each step of its Dockerfile."""

from __future__ import annotations

import posixpath
import re

from cachekey.buildkit.scope import Scope
from cachekey.commands.builtins import SOURCES
from cachekey.commands.effect import Effect
from cachekey.commands.effect import covers as takes_in
from cachekey.commands.effects import effects_of
from cachekey.commands.fetched import FETCHERS, is_cloned, is_fetched
from cachekey.commands.invocation import Invocation
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.giving import Owner, concerns, given, made_by, makes, names, receiver
from cachekey.devcontainer.lifecycle import tells_nothing_else
from cachekey.devcontainer.paths import covers
from cachekey.dockerfile.installed import made_by_fetched
from cachekey.dockerfile.purpose import is_remembered
from cachekey.dockerfile.records import Run, Step
from cachekey.knowledge.installers import installers
from cachekey.knowledge.records import CacheDir, Kind
from cachekey.syntax.dockerfile.tree import Instruction

_SYSTEM = frozenset(
    (
        *("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "media", "mnt", "nix"),
        *("opt", "proc", "root", "run", "sbin", "snap", "srv", "sys", "tmp", "usr", "var"),
        "workspace",
    )
)
"""Top directories that images have; anything may lie below them."""
_OUTPUT = re.compile(r"/(?:node_modules|\.venv|venv|target|build|dist|\.next|\.turbo|\.nuxt)\Z")


def owner_in_image(place: str, container: Container) -> Owner | None:
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
    if place.split("/")[1] in _SYSTEM or _named_by_image(place, container):
        return None
    return "missing"


def _named_by_image(place: str, container: Container) -> bool:
    """Tell whether a variable of the image names the place or one around it: it may well be there."""
    values = container.image.env.values() if container.image is not None else ()
    named = (posixpath.normpath(value) for value in values if value and value.startswith("/"))
    return any(path != "/" and covers(path, place) for path in named)


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
    chown = next((f.value.text for f in here.flags if f.name.text == "chown" and f.value), None)
    mine: Owner = "root" if chown is None or chown.partition(":")[0] in ("root", "0") else "user"
    if covers(place, target):
        return mine if owner in ("missing", None) or target == place else owner
    if covers(target, place) and not _OUTPUT.search(place):
        # Whether it is among what is copied or not, it is root's where root has both.
        return owner if mine == "root" and owner in ("root", "missing") else None
    return owner


# -- the commands of a RUN --------------------------------------------------------------------------


def _run(owner: Owner | None, run: Run, place: str, container: Container) -> Owner | None:
    """Tell what the commands of a RUN make of the directory."""
    named = _may_name(run, place)
    if named and not run.commands.complete and not tells_nothing_else(run.commands):
        return None
    for index, item in enumerate(run.commands.items):
        if named:
            owner = _command(owner, index, run, place, container)
        owner = _made_by_tools(owner, item, run, place)
    return owner


def _command(
    owner: Owner | None, index: int, run: Run, place: str, container: Container
) -> Owner | None:
    item = run.commands.items[index]
    if item.program in ("useradd", "adduser") and owner is None and container.home == place:
        return "user"
    effects = effects_of(item)
    if effects is None:
        # A file that is read into the shell sets it up; what it runs comes by itself.
        if not item.opaque or item.program in SOURCES or _fetched(index, run, place, container):
            return owner
        ours = run.commands.items
        if owner != "missing" and (is_fetched(ours, index) or is_cloned(ours, index)):
            # What the Dockerfile itself has made is none of its business, wherever that lies.
            return owner
        # What the user runs takes nothing away from the user.
        return owner if owner == "user" and _runs_as_root(item, run) is False else None
    if item.program == "chown" and _gives_to_nobody(item, run):
        return owner
    root = _runs_as_root(item, run)
    for effect in effects:
        before, owner = owner, _effect(owner, effect, item, place, root)
        sure = before is not None and not item.conditional and _gives(effect, place)
        if sure and _to_another(item, container):
            owner = "other" if owner == "user" else owner
    return owner


_JOINS = re.compile(r"\b(?:usermod|groupmod|gpasswd|addgroup|adduser\s+\S+\s+\S+)\b")
"""What gives an account another name, number or group."""


def _gives(effect: Effect, place: str) -> bool:
    """Tell whether an effect surely decides whose the place is."""
    if effect.kind == "makes":
        return names(effect, place)
    return effect.kind == "opens" and (names(effect, place) or takes_in(effect, place))


def _to_another(item: Invocation, container: Container) -> bool:
    """Tell whether a command names an account that is surely not the container's user.

    Two names of one number, and a group that the user is in, are none of another's.
    """
    said, user = receiver(item), container.user
    name, _, group = (said or "").partition(":")
    if (
        name in ("", "root", "0")
        or user is None
        or user.root
        or group not in ("", name, "root", "0")
    ):
        return False
    if name == user.name or name.isdigit() != user.name.isdigit():
        return False
    if any(_JOINS.search(step.run.text) for step in container.steps if step.run is not None):
        return False
    stage = container.stage
    known = stage.end.accounts if stage is not None else {}
    mine, theirs = (known[one].uid if one in known else None for one in (user.name, name))
    return name.isdigit() or mine is None or mine != theirs


def _effect(
    owner: Owner | None, effect: Effect, item: Invocation, place: str, root: bool | None
) -> Owner | None:
    """Tell what one effect of a command makes of the directory."""
    if effect.kind == "makes":
        if makes(effect, place):
            return made_by(item, root) if owner in ("missing", None) else owner
        return None if effect.path is None and concerns(effect, place) else owner
    if effect.kind == "opens":
        if root is False or owner == "missing" or not concerns(effect, place):
            return owner
        # Whether one around it reaches it depends on whether it is there: what has an owner is.
        around = owner == "user" and takes_in(effect, place) and not item.conditional
        reaches = owner in ("root", "other") or names(effect, place) or around
        return given(item, owner) if reaches else None
    if effect.kind in ("removes", "moves"):
        if owner == "missing" or not concerns(effect, place):
            return owner
        return "missing" if takes_in(effect, place) and not item.conditional else None
    if owner == "missing" and _fills(effect, place):
        return _by(root)
    return owner


def _fills(effect: Effect, place: str) -> bool:
    """Tell whether an effect puts something at the place or below it, so that it is made."""
    if effect.kind == "writes":
        return makes(effect, place)
    return effect.kind == "copies" and effect.to is not None and covers(place, effect.to)


def _gives_to_nobody(item: Invocation, run: Run) -> bool:
    """Tell whether a chown's owner is ``$USER``, which no build sets: ``chown :`` changes nothing."""
    said = next((word.written for word in item.args if not word.written.startswith("-")), "")
    unset = "USER" not in run.scope.variables and item.state.value("USER") is None
    return unset and re.fullmatch(r"\"?\$\{?USER\}?(?::\$\{?USER\}?)?\"?", said) is not None


def _fetched(index: int, run: Run, place: str, container: Container) -> bool:
    """Tell whether a RUN's unread program is one that it fetches, and the place none of its own.

    An installer from elsewhere writes below system directories and the home of who runs it, and
    knows no others; in that home it makes what is called like it, and what all programs share.
    """
    home, items = container.home, run.commands.items
    at_home = home is not None and covers(home, place)
    if at_home and is_cloned(items, index):
        return _runs_as_root(items[index], run) is True
    if home is not None and at_home and is_fetched(items, index):
        return _runs_as_root(items[index], run) is True or _others(place, home, index, run)
    foreign = not at_home and place.split("/")[1] not in _SYSTEM
    foreign = foreign or container.in_workspace(place)
    return foreign and (any(item.program in FETCHERS for item in items) or is_cloned(items, index))


_SHARED = frozenset((".cache", ".config", ".local", "share", "state"))
"""What installers of any program make in a home, each with a folder of its own below."""
_GENERIC = frozenset(
    ("https", "http", "install", "installer", "script", "scripts", "main", "master")
)


def may_be_fetched(place: str, container: Container) -> bool:
    """Tell whether an installer that the build fetches may have made a place at home, as the user."""
    home = container.home
    return home is not None and any(
        _runs_as_root(item, step.run) is not True
        and (
            is_cloned(step.run.commands.items, index)
            or (
                is_fetched(step.run.commands.items, index)
                and not _others(place, home, index, step.run)
            )
        )
        for step in container.steps
        if step.run is not None
        for index, item in enumerate(step.run.commands.items)
    )


def _others(place: str, home: str, index: int, run: Run) -> bool:
    """Tell whether a place at home is none that the fetched installer makes.

    What is known of the installer counts; else a program of another name has another place.
    """
    made = made_by_fetched(run, index)
    if made is not None:
        return not any(covers(path, place) or covers(place, path) for path in made)
    parts = [part for part in place[len(home) :].split("/") if part and part not in _SHARED]
    if not parts or parts[0] in ("bin", "lib"):
        return False
    name = re.sub(r"\W|_", "", parts[0].lower())
    around = run.commands.items[max(0, index - 1) : index + 2]
    urls = " ".join(text.lower() for item in around for text in item.texts if text and ":" in text)
    words = set(re.findall(r"[a-z]{4,}", urls)) - _GENERIC
    own = {*re.findall(r"[a-z]{4,}", parts[0].lower()), name, *installers().folders.get(name, ())}
    squeezed = re.sub(r"[^a-z0-9]", "", urls)
    return bool(urls) and not any(w in squeezed for w in own) and not any(w in name for w in words)


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
    if re.search(r"\b(?:chown|chmod|mkdir|install|setfacl)\b", text):
        return True
    items = run.commands.items
    return any(is_fetched(items, index) for index in range(len(items)))


def _may_lie(cache: CacheDir, place: str, call: Invocation) -> bool:
    """Tell whether a tool's result is usually put at a place, for a call from the folder around it."""
    around, name = posixpath.split(place)
    return (
        cache.kind is Kind.RESULT
        and bool(cache.relative)
        and (call.cwd, cache.path) == (around, name)
    )


def _made_by_tools(owner: Owner | None, call: Invocation, run: Run, place: str) -> Owner | None:
    """A later ``npm ci`` of root makes the directory root's again."""
    for use in run.uses:
        for item in use.directories if use.invocation is call else ():
            if item.path is None and owner == "missing" and _may_lie(item.cache, place, call):
                # Where a setting that nobody reads does not put it elsewhere.
                owner = _by(_runs_as_root(call, run))
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
