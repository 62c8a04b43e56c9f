"""Who may write to a fresh volume, and what gives it away.

An empty volume takes content, owner and mode of the directory that the image has there; without one
Docker makes it, and its missing parents, as root's (docs.docker.com, *Populate a volume using a
container*). A lifecycle command may hand it over later. Every answer here is one that all that was
read supports; where anything unread could say otherwise there is none.
"""

from __future__ import annotations

import posixpath
import re
import shlex

from cachekey.commands.effect import Effect
from cachekey.commands.effects import effects_of
from cachekey.commands.familiar import SHELLS
from cachekey.commands.invocation import Invocation
from cachekey.commands.read import read_commands
from cachekey.devcontainer.compose import Service
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.giving import concerns, given
from cachekey.devcontainer.imageowner import may_be_fetched, owner_in_image
from cachekey.devcontainer.lifecycle import Ran, Standing
from cachekey.devcontainer.mentions import named_in_build
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.needed import needed_first
from cachekey.devcontainer.paths import covers
from cachekey.devcontainer.settings import Setting
from cachekey.dockerfile.context import Copied
from cachekey.knowledge.installers import installers
from cachekey.record import record
from cachekey.text import Mapped, Source, Span

_SETS_UP = re.compile(r"fix|perm|own|set-?up|init|post|entry|devcontainer|bootstrap|provision")
"""Parts of names of programs that may well be scripts which give directories away."""


_ENGINE = "/var/lib/docker/volumes"
"""Where an engine keeps its volumes on the host, unless it is told otherwise."""


@record(frozen=True)
class Unwritable:
    """A volume that its user cannot write to when it is new."""

    user: str
    certain: bool
    """False: below a home directory the image may have it already, though nobody says so."""
    chowned: bool = False
    """A command gives it away in a way that has no effect: without the right to."""
    closed: bool = False
    """It lies in root's home, which nobody else may enter, whoever owns it."""
    another: bool = False
    """It is not root's, but another account's, to whom the Dockerfile gives the directory."""
    needed: str = ""
    """The program that needs it before a command gives it away."""


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
    if _elsewhere(place, container, mount):
        return None
    # Whoever owns what lies in root's home, nobody else gets there.
    closed = _in_closed_home(place, container)
    needed = _needed(place, container)
    if not closed and not needed and _handed_over(place, container):
        return None
    nocopy = mount is not None and mount.nocopy
    owner = "missing" if nocopy else owner_in_image(place, container)
    if owner in ("root", "missing", "other"):
        return Unwritable(user.name, True, another=owner == "other", needed=needed)
    if closed:
        return Unwritable(user.name, True, closed=True)
    home = container.home
    if owner is None and home is not None and covers(home, place) and place != home:
        bare = owner_in_image(f"/{user.name}-home{place[len(home) :]}", container) == "missing"
        bare = bare or (
            not container.builds and container.image is None and _featured(user.name, container)
        )
        known = named_in_build(place, container) or may_be_fetched(place, container)
        if bare and not known and not needed:
            return Unwritable(user.name, False)
    return None


def stays_roots(place: str, container: Container, mount: RuntimeMount | None = None) -> bool:
    """Tell whether nothing that was read, and nothing unread, gives a directory of root's away."""
    return not _elsewhere(place, container, mount) and not _handed_over(place, container)


ROOT_HOME = "/root"
"""Every system's; its mode is 0700 or 0550 in all images that are known (shadow, busybox, setup)."""


def reachable(place: str, container: Container) -> str:
    """Return where the user can get to: instead of a place in root's home the same one in the user's own."""
    user, home = container.user, container.home
    if user is None or user.root or home is None or covers(ROOT_HOME, home):
        return place
    return home + place[len(ROOT_HOME) :] if covers(ROOT_HOME, place) else place


def _in_closed_home(place: str, container: Container) -> bool:
    """Tell whether a place lies in root's home, and root, who alone may enter it, runs nothing.

    Nothing of what was read opens the home to others; the user has another one.
    """
    home = container.home
    if not covers(ROOT_HOME, place) or home is None or covers(ROOT_HOME, home):
        return False
    if container.image is None or (container.builds and container.stage is None):
        return False
    items = [ran.item for ran in container.story.items if ran.as_root]
    if any(_keeps_things(item) for item in items):
        return False
    items += [item for step in container.steps if step.run for item in step.run.commands.items]
    return not any(
        effect.kind == "opens" and concerns(effect, ROOT_HOME)
        for item in items
        for effect in effects_of(item) or ()
    )


def _keeps_things(item: Invocation) -> bool:
    """Tell whether a program may keep something in the home of who runs it."""
    return (
        effects_of(item) is None and item.program not in installers().packagers and not item.shown
    )


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


def _needed(place: str, container: Container) -> str:
    """Return the program that needs a place before the first command that gives it away; empty: none."""
    story = container.story
    giver = next((ran for ran in story.items if _gives(ran, place, container)), None)
    if story.unread or giver is None:
        return ""
    ran = needed_first(place, container, giver)
    return (ran.item.program or "") if ran is not None else ""


def given_by(place: str, container: Container) -> Ran | None:
    """Return the command that is seen to give a place to the user; ``None``: none is."""
    return next(
        (
            ran
            for ran in container.story.items
            if ran.as_root and effects_of(ran.item) is not None and _gives(ran, place, container)
        ),
        None,
    )


def _gives(ran: Ran, place: str, container: Container) -> bool:
    item = ran.item
    program = item.program or ""
    if ran.seen:
        return False
    effects = effects_of(item)
    if effects is not None:
        # Only root may give away what is root's.
        return ran.as_root and any(_may_give(effect, item, place) for effect in effects)
    if ran.as_root and item.unfamiliar and not item.shown and not _packaged(program, container):
        return _names(item, place) or bool(_SETS_UP.search(program))
    if item.shown:
        # What it runs comes by itself.
        return False
    known = container.knowledge.tool_for(program) is not None or not item.unfamiliar
    return not known and (bool(_SETS_UP.search(program)) or _made_by_build(program, container))


def _packaged(program: str, container: Container) -> bool:
    """Tell whether the Dockerfile installs a package of that name: no script of the project's."""
    return any(
        item.program in installers().packagers and program in item.texts
        for step in container.steps
        if step.run is not None
        for item in step.run.commands.items
    )


def _may_give(effect: Effect, item: Invocation, place: str) -> bool:
    """Tell whether an effect of root's may give a directory away: its owner, its mode, a copy of both.

    A chown to root gives nothing away, nor does a mode under which only root may write.
    """
    if effect.kind in ("copies", "moves"):
        return effect.to is None or covers(effect.to, place)
    if effect.kind == "makes":
        return item.program == "install" and concerns(effect, place)
    return effect.kind == "opens" and concerns(effect, place) and given(item, "root") != "root"


def _names(item: Invocation, place: str) -> bool:
    """Tell whether a word of a call is a directory that the place is, or lies in, or may be."""
    words = [text or "" for text in item.texts]
    return None in item.texts or any(
        word.startswith("/") and covers(posixpath.normpath(word), place) for word in words
    )


def _elsewhere(place: str, container: Container, mount: RuntimeMount | None) -> bool:
    """Tell whether another service, an entry point or the host may give the volume away."""
    if _on_host(container):
        return True
    if container.foreign_features or (
        container.composition is not None and container.service is None
    ):
        return True
    if container.service is not None:
        if container.service.unread or _other_service(container, mount):
            return True
        if not _overridden(container) and not _idles(container.service):
            return True
    return not _overridden(container) and _entry_point(container)


def _overridden(container: Container) -> bool:
    """Tell whether the file says that neither entry point nor command of the container is run.

    Without a word it depends: on compose files, and on the metadata of an image.
    """
    said = container.document.root.get("overrideCommand")
    return said is not None and said.value is True


def _on_host(container: Container) -> bool:
    """Tell whether what the host runs before the container is made may give a volume away.

    It runs another container that may (``docker run … chown``), or a file that nobody can follow. A
    directory of the host by its name is no volume, unless it may lie in the engine's own.
    """
    story = container.host_story
    return bool(story.suspects) or any(
        _opens_volumes(ran.item) or _runs_container(ran.item) for ran in story.items
    )


def _opens_volumes(item: Invocation) -> bool:
    """Tell whether a command of the host may change the owner of what the engine keeps there."""
    effects = effects_of(item) or ()
    # A mode for the owner alone, as a file with tokens gets it, opens nothing.
    opened = given(item, "root") != "root"
    paths = {effect.path for effect in effects if effect.kind == "opens" and opened}
    # The opened folder, which is `/` here, holds none.
    return any(
        path is None or "{" in path or "volumes" in path or covers(path, _ENGINE)
        for path in paths - {"/"}
    )


def _runs_container(item: Invocation) -> bool:
    words = installers().engines.get(item.program or "", frozenset())
    return any(text in words for text in item.texts)


def _idles(service: Service) -> bool:
    """Tell whether a service's entry point and command only keep the container alive."""
    words: list[Mapped] = []
    for name in ("entrypoint", "command"):
        setting = service.setting(name)
        said = _words(setting) if setting is not None else ()
        if said is None:
            return False
        words += said
    if not words:
        return True
    commands = read_commands(
        Standing(words[0], tuple(words)), shell=None, lookup=lambda name: None, workdir=None
    )
    return commands.complete and all(
        item.shown
        or item.program in installers().idle
        or (item.program in SHELLS and not item.args)
        for item in commands.items
    )


def _words(setting: Setting) -> tuple[Mapped, ...] | None:
    """Return the words of an entry point or command; ``None`` where they cannot be told.

    No shell splits a text: Compose does, by quotes and blanks alone.
    """
    if setting.node.kind == "sequence":
        words = setting.words
    else:
        text = setting.text.text if setting.text is not None else ""
        try:
            words = tuple(shlex.split(text))
        except ValueError:
            return None
    if words is None:
        return None
    sources = (Source(word) for word in words)
    return tuple(Mapped.plain(source, Span(0, len(source.text))) for source in sources)


def _other_service(container: Container, mount: RuntimeMount | None) -> bool:
    """Tell whether another service, which may be root there, mounts the same volume."""
    composition, service = container.composition, container.service
    name = mount.volume if mount is not None else None
    if composition is None or service is None or name is None:
        return False
    for other in composition.services:
        found = composition.service(other) if other != service.name else None
        mounts = [item for item in found.mounts if item.volume == name] if found else []
        alike = all(mount is not None and item.place == mount.place for item in mounts)
        if mounts and found is not None and not (alike and _same_user(found, service, container)):
            return True
    return False


def _same_user(one: Service, other: Service, container: Container) -> bool:
    """Tell whether two services run the same image as the same user, who is not root.

    What the one may not do, the other may not either: a service that others extend, most of all.
    """
    targets = [
        service.build.target if service.build is not None else None for service in (one, other)
    ]
    if one.setting("user") is None and other.setting("user") is None:
        # Both are the Dockerfile's user.
        stage = container.stage
        if stage is None or stage.end.user.is_root is not False or targets[0] != targets[1]:
            return False
    else:
        user = one.literal("user")
        if user is None or user.partition(":")[0] in ("root", "0") or user != other.literal("user"):
            return False
    built = one.build.dockerfile if one.build is not None else one.literal("image")
    there = other.build.dockerfile if other.build is not None else other.literal("image")
    return built is not None and built == there


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


def _made_by_build(program: str, container: Container) -> bool:
    """Tell whether the Dockerfile names a program, which then may be a script of the project."""
    if container.builds and container.stage is None:
        return True
    if container.stage is None or not program:
        return False
    return any(
        step.copied is not None and _brings_program(step.copied, program)
        for step in container.steps
    )


def _brings_program(copied: Copied, program: str) -> bool:
    """Tell whether a copy brings a file of that name to where a shell starts it by its bare name."""
    target = copied.target
    named = (posixpath.basename(word.text.rstrip("/")) for word in copied.written)
    if all(name != program and name.partition(".")[0] != program for name in named):
        return False
    return target is None or any(
        folder.endswith("bin") for folder in (target, posixpath.dirname(target))
    )
