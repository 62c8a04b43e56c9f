"""A feature that lies in the workspace: what its files say that it mounts, sets and hands over.

Source: containers.dev, *Dev Container Features reference* (locally referenced features lie beside
the devcontainer.json).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from cachekey.commands.effect import Effect
from cachekey.commands.effects import effects_of
from cachekey.commands.familiar import names_other_language
from cachekey.commands.invocation import Invocation
from cachekey.commands.read import read_commands
from cachekey.devcontainer.lifecycle import Standing
from cachekey.devcontainer.paths import within
from cachekey.devcontainer.read import Devcontainer, read_devcontainer
from cachekey.devcontainer.substitution import literal
from cachekey.knowledge.features import Feature, FeatureMount
from cachekey.knowledge.installers import installers
from cachekey.knowledge.records import Confidence
from cachekey.text import Mapped, Source, Span

_ACCOUNTS = frozenset(("useradd", "adduser", "usermod"))
_RIGHTS = "/etc/sudoers"


def local_feature(
    reference: str, document: str, read: Callable[[str], str | None]
) -> Feature | None:
    """Return what is known of a feature by its path; None where something of it is not.

    ``document`` is the devcontainer.json that names it, ``read`` gives the workspace's files.
    """
    if not reference.startswith("./"):
        return None
    folder = within(posixpath.dirname(document), reference)
    path = posixpath.join(folder, "devcontainer-feature.json") if folder else None
    text = read(path) if path is not None else None
    script = read(posixpath.join(folder, "install.sh")) if folder and text is not None else None
    if folder is None or path is None or text is None or script is None:
        return None
    if not _only_installs(script):
        return None
    said = read_devcontainer(path, Source(text))
    if said.problem is not None or said.lifecycle or said.get("dependsOn") is not None:
        return None
    # Its variables become the image's ENV, which may be put together from others; PATH always is.
    env = {entry.name: entry.text for entry in said.container_env if entry.name != "PATH"}
    if any(value is None or "$" in value for value in env.values()):
        return None
    return _read(said, folder, env)


def _read(said: Devcontainer, folder: str, env: Mapping[str, str | None]) -> Feature:
    mounts = [(literal(mount.source), mount.place) for mount in said.mounts]
    return Feature(
        id=posixpath.basename(folder),
        name=literal(said.root.string("name")) or posixpath.basename(folder),
        source=said.path,
        date="",
        confidence=Confidence.VERIFIED,
        match=(),
        env={name: text for name, text in env.items() if text is not None},
        own=(),
        lacks=(),
        ships=(),
        mounts=tuple(FeatureMount(source or "", place) for source, place in mounts if place),
        tools=(),
        sudo=False,
        makes_user=False,
        leaves_homes=True,
        unless=(),
    )


def _only_installs(script: str) -> bool:
    """Tell whether an ``install.sh`` makes no directory, account or right, and all of it is read."""
    if names_other_language(script):
        return False
    source = Source(script)
    whole = Mapped.plain(source, Span(0, len(script)))
    commands = read_commands(Standing(whole), shell=None, lookup=lambda name: None, workdir=None)
    return commands.complete and not any(map(_may_make, commands.items))


def _may_make(item: Invocation) -> bool:
    if item.shown:
        # What it runs comes by itself.
        return False
    if item.program is None or item.opaque or item.user is not None or item.program in _ACCOUNTS:
        return True
    if item.program in installers().engines:
        return True
    return any(_makes(effect) for effect in effects_of(item) or ())


def _makes(effect: Effect) -> bool:
    """Tell whether an effect makes a directory, opens something or gives a right, or may do so."""
    if effect.kind in ("reads", "removes"):
        return False
    place = effect.path if effect.kind == "writes" else effect.to
    if effect.kind in ("makes", "opens") or (effect.kind == "writes" and effect.deep):
        return True
    return place is None or place.startswith(_RIGHTS)
