"""A feature that lies in the workspace: what its files say that it mounts, sets and hands over.

Source: containers.dev, *Dev Container Features reference* (locally referenced features lie beside
the devcontainer.json).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

from cachekey.devcontainer.lifecycle import speaks_of_owners
from cachekey.devcontainer.paths import within
from cachekey.devcontainer.read import Devcontainer, read_devcontainer
from cachekey.devcontainer.substitution import literal
from cachekey.knowledge.features import Feature, FeatureMount
from cachekey.knowledge.records import Confidence
from cachekey.text import Source

_MAKES = re.compile(r"\b(?:mkdir|install|useradd|adduser|sudoers|git clone)\b|\|\s*(?:ba|z)?sh\b")
"""What an ``install.sh`` says that makes directories of its own, which nobody here follows."""


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
    if speaks_of_owners(script) or _MAKES.search(_without_packages(script)):
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
    )


def _without_packages(script: str) -> str:
    """Leave out what installs packages, where ``install`` makes no directory."""
    return re.sub(
        r"\b(?:apt-get|apt|dnf|yum|npm|pnpm|pip3?|pipx|gem|cargo|go)\b[^;&|\n]*", "", script
    )
