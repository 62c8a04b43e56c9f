"""Judgements on a devcontainer.json that need its Dockerfile, its image and its commands.

Each one answers only when everything that could speak against it has been seen; a script, an
unknown image or a feature from elsewhere ends the matter without an answer.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cachekey.devcontainer.caches import RuntimeCache, cache_of, is_usual, told
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer, EnvEntry
from cachekey.devcontainer.substitution import literal
from cachekey.knowledge import Claim

if TYPE_CHECKING:
    from cachekey.devcontainer.surroundings import Surroundings
    from cachekey.dockerfile.records import Dockerfile, Stage
    from cachekey.knowledge import Image
    from cachekey.knowledge.records import CacheDir

_OFFICIAL = "ghcr.io/devcontainers/features/"
_SCRIPT = re.compile(
    r"""(?:^|[\s;&|("'])(?:
        [^\s;&|("']*\.(?:sh|bash|zsh|fish|py|js|mjs|ts|rb|pl|ps1)\b   # a script by its name
      | \.{1,2}/\S                                            # a program of the workspace
      | (?:bash|sh|zsh|source|\.|make|just|task|rake|invoke|nox|tox|mise|devbox|nix)\s
      | (?:npm|yarn|pnpm|bun|composer|poetry|uv|hatch|pdm)\s+run\b
      )""",
    re.VERBOSE,
)
_OWNING = re.compile(r"\b(?:chown|chmod|setfacl|install\s+-d)\b([^;&|\n]*)")
_SYSTEM = frozenset(
    (
        *("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "media", "mnt", "nix"),
        *("opt", "proc", "root", "run", "sbin", "snap", "srv", "sys", "tmp", "usr", "var"),
        "workspace",
    )
)
"""Top directories that images have; anything may lie below them."""


def stage_of(document: Devcontainer, dockerfile: Dockerfile) -> Stage | None:
    """Return the stage of the Dockerfile that the container is made of."""
    target = document.build_target.target if document.build_target else None
    if not dockerfile.stages:
        return None
    if target is None:
        return dockerfile.stages[-1]
    for stage in dockerfile.stages:
        if target.lower() in ((stage.name or "").lower(), str(stage.index)):
            return stage
    return None


def image_of(document: Devcontainer, around: Surroundings) -> Image | None:
    """Return what is known of the image at the bottom, directly or below the Dockerfile."""
    if document.image is not None and document.build_target is None:
        reference = literal(document.image)
        return around.knowledge.image(reference) if reference else None
    dockerfile = around.dockerfile_of(document)
    stage = stage_of(document, dockerfile) if dockerfile else None
    return stage.chain[-1].base.facts if stage else None


def foreign_features(document: Devcontainer) -> bool:
    """Tell whether a feature is in use of which nothing is known: it may mount and set anything."""
    return any(not feature.key.text.startswith(_OFFICIAL) for feature in document.features)


def runs_scripts(document: Devcontainer) -> bool:
    """Tell whether a lifecycle command runs a script or a task that cannot be seen from here."""
    return any(_SCRIPT.search(command.text) for command in document.lifecycle)


# -- who owns a fresh volume ----------------------------------------------------------------------


def unwritable_for(place: str, document: Devcontainer, around: Surroundings) -> str | None:
    """Return the user who cannot write to a fresh volume on ``place``, when that is certain.

    An empty volume takes the owner of the image's directory; where the image has none, Docker
    makes it as root's.
    """
    user = literal(document.remote_user)
    if document.compose or document.feature or not user or user in ("root", "0"):
        return None
    if runs_scripts(document) or _owned_by_command(place, document):
        return None
    return user if _missing_in_image(place, document, around) else None


def probably_unwritable_for(
    place: str, document: Devcontainer, around: Surroundings
) -> tuple[str, bool] | None:
    """Return the user who cannot write to a fresh volume, and whether that is certain.

    Below a home directory the image may have the directory already, though nobody says so.
    """
    user = unwritable_for(place, document, around)
    if user is not None:
        return user, True
    user = literal(document.remote_user)
    if not user or not place.startswith(f"/home/{user}/"):
        return None
    # The same question about a directory that no image has.
    elsewhere = f"/{user}-home{place.removeprefix(f'/home/{user}')}"
    if unwritable_for(elsewhere, document, around) is None:
        return None
    dockerfile = around.dockerfile_of(document)
    if dockerfile is not None and _touched(place, document, dockerfile):
        return None
    if _owned_by_command(place, document):
        return None
    image = image_of(document, around)
    if image is None or any(_related(place, shipped.path) for shipped in image.ships):
        return None
    return user, False


def _owned_by_command(place: str, document: Devcontainer) -> bool:
    for command in document.lifecycle:
        for match in _OWNING.finditer(command.text):
            words = [word.strip("\"'") for word in match.group(1).split()]
            if any(_may_name(word, place) for word in words):
                return True
    return False


def _may_name(word: str, place: str) -> bool:
    """Tell whether a word of a chown may name the place or a directory around it."""
    if word.startswith("-") or "$(" in word or word in ("-u):$(id", "-g)", "-u)"):
        return False
    path = word.rstrip("/") or "/"
    if path == place or (path.startswith("/") and place.startswith(f"{path}/")):
        return True
    if re.search(r"[*?$~{}]|^\.", word):
        return True
    return posixpath.basename(path) == posixpath.basename(place) and not path.startswith("/")


def _missing_in_image(place: str, document: Devcontainer, around: Surroundings) -> bool:
    dockerfile = around.dockerfile_of(document)
    if document.build_target is not None and dockerfile is None:
        return False
    if dockerfile is not None and _touched(place, document, dockerfile):
        return False
    if place.startswith(("${containerWorkspaceFolder}/", "/workspaces/")):
        return True
    if document.workspace_folder and place.startswith(document.workspace_folder + "/"):
        return True
    if "$" in place or foreign_features(document):
        return False
    image = image_of(document, around)
    if image is None or any(_related(place, shipped.path) for shipped in image.ships):
        return False
    return place.split("/")[1] not in _SYSTEM


def _touched(place: str, document: Devcontainer, dockerfile: Dockerfile) -> bool:
    """Tell whether the Dockerfile may make or own the directory, or start a script that does."""
    stage = stage_of(document, dockerfile)
    if stage is None:
        return True
    parts = place.split("/")
    around = ["/".join(parts[:count]) for count in range(2, len(parts) + 1)]
    names = re.compile("|".join(rf"(?<![\w./-]){re.escape(path)}(?![\w.-])" for path in around))
    for link in stage.chain:
        for step in link.steps:
            here = step.instruction
            texts = (here.args.text, *(heredoc.body.text for heredoc in here.heredocs))
            if here.keyword == "ENTRYPOINT" or any(names.search(text) for text in texts):
                return True
    return False


def made_by_build(place: str, document: Devcontainer, around: Surroundings) -> bool:
    """Tell whether the Dockerfile names the very directory outside of its mounts."""
    dockerfile = around.dockerfile_of(document)
    stage = stage_of(document, dockerfile) if dockerfile is not None else None
    name = re.compile(rf"(?<![\w./-]){re.escape(place)}(?![\w.-])")
    return stage is not None and any(
        step.instruction.keyword in ("RUN", "COPY", "ADD", "WORKDIR")
        and name.search(step.instruction.args.text)
        for link in stage.chain
        for step in link.steps
    )


def _related(left: str, right: str) -> bool:
    return left == right or left.startswith(f"{right}/") or right.startswith(f"{left}/")


# -- whether a tool knows of its cache ------------------------------------------------------------


def untold(
    mount: RuntimeMount, document: Devcontainer, around: Surroundings
) -> RuntimeCache | None:
    """Return the cache that a mount is meant to be, when its tool is in use and not told of it."""
    if mount.compose or document.feature or mount.readonly:
        return None
    if mount.type not in ("volume", "bind", "cache"):
        return None
    found = cache_of(mount, document, around.knowledge)
    if found is None or found.grade != "name" or not found.cache.pin:
        return None
    tool = found.claim.tool
    if not tool.confidence.warns or not _in_use(found.claim, document, around):
        return None
    if document.env_file or foreign_features(document) or runs_scripts(document):
        return None
    if _set_somewhere(found.cache, document, around) is not False:
        return None
    if mount.place is None or _said_elsewhere(mount.place, mount, document):
        return None
    return None if _configured(found.cache, document, around) else found


def _names(cache: CacheDir) -> frozenset[str]:
    return frozenset((*cache.variables, cache.pin, cache.pin.lower()))


def _set_somewhere(cache: CacheDir, document: Devcontainer, around: Surroundings) -> bool | None:
    """Tell whether a variable moves the cache already; ``None`` when the image may do so."""
    names = _names(cache)
    if any(entry.name in names or entry.name.lower() in names for entry in document.env):
        return True
    image = image_of(document, around)
    if image is None:
        return None
    if any(name in image.env for name in names):
        return True
    dockerfile = around.dockerfile_of(document)
    stage = stage_of(document, dockerfile) if dockerfile else None
    return stage is not None and any(name in stage.end.variables for name in names)


def _said_elsewhere(place: str, mount: RuntimeMount, document: Devcontainer) -> bool:
    """Tell whether another value of the file names the directory, other than to own it."""
    mounted = [other.node for other in document.mounts]
    for _, node in document.tree.strings():
        if node.text is None or place not in node.text.text or any(node is x for x in mounted):
            continue
        owning = _OWNING.sub("", re.sub(r"\bmkdir\b[^;&|\n]*", "", node.text.text))
        if node is not mount.node and place in owning:
            return True
    return False


def _configured(cache: CacheDir, document: Devcontainer, around: Surroundings) -> bool:
    """Tell whether a configuration file of the workspace moves the cache."""
    folder = workspace_root(document.path)
    for way in cache.moved_by:
        if way.config and not way.config.startswith("$"):
            text = around.read(posixpath.normpath(posixpath.join(folder, way.config)))
            key = way.text or way.key.rpartition(".")[2]
            if text is not None and key in text:
                return True
    return False


def workspace_root(path: str) -> str:
    """Return the folder that a devcontainer.json opens."""
    folder = posixpath.dirname(path)
    for name in (posixpath.basename(folder), posixpath.basename(posixpath.dirname(folder))):
        if name == ".devcontainer":
            return folder[: folder.rindex(".devcontainer")].rstrip("/")
    return folder


def _in_use(claim: Claim, document: Devcontainer, around: Surroundings) -> bool:
    """Tell whether the file, its image or its Dockerfile names the tool outside of its mounts."""
    names = {claim.tool.id, *(name for c in claim.tool.commands for name in c.names)}
    plain = [re.escape(name) for name in names if "*" not in name]
    word = re.compile(rf"(?<![\w-])(?:{'|'.join(plain)})(?![\w-])", re.IGNORECASE)
    return any(word.search(text) for text in _texts(document, around))


def tools_in_use(document: Devcontainer, around: Surroundings) -> Iterator[Claim]:
    """Yield the directories of the tools that the file, its features or its Dockerfile name."""
    text = "\n".join(_texts(document, around)).lower()
    words = frozenset(re.findall(r"[a-z][\w+-]*", text)) | {e.name.lower() for e in document.env}
    for tool in around.knowledge.tools():
        names = {tool.id, *(name for command in tool.commands for name in command.names)}
        pins = {cache.pin.lower() for cache in tool.caches if cache.pin}
        if words & (names | pins):
            yield from (Claim(tool, cache) for cache in tool.caches)


def _texts(document: Devcontainer, around: Surroundings) -> Iterator[str]:
    mounted = [mount.node for mount in document.mounts]
    for path, node in document.tree.strings():
        inside = path[:1] == ("mounts",) or any(node is other for other in mounted)
        if node.text is not None and not inside:
            yield node.text.text
    yield from (feature.key.text for feature in document.features)
    dockerfile = around.dockerfile_of(document)
    if dockerfile is not None:
        for run in dockerfile.runs:
            yield run.instruction.args.text
        for stage in dockerfile.stages:
            yield stage.base.reference.text


def unmounted(
    document: Devcontainer, around: Surroundings
) -> Iterator[tuple[EnvEntry, Claim, str]]:
    """Yield the variables that put a cache where nothing is mounted: it goes with the container."""
    if document.compose or document.feature or foreign_features(document):
        return
    if image_of(document, around) is None or any(m.place is None for m in document.mounts):
        return
    dockerfile = around.dockerfile_of(document)
    for entry, claim, directory in told(document, around.knowledge):
        if not claim.tool.confidence.warns or is_usual(directory, claim):
            continue
        if any(mount.covers(directory) for mount in document.mounts):
            continue
        if _below(directory, ("/tmp", "/workspaces", "/var/tmp", document.workspace_folder)):
            continue
        if any(_below(mount.place or "", (directory,)) for mount in document.mounts):
            continue
        if dockerfile is not None and _touched(directory, document, dockerfile):
            continue
        yield entry, claim, directory


def _below(path: str, folders: Iterable[str | None]) -> bool:
    return any(folder and (path == folder or path.startswith(f"{folder}/")) for folder in folders)
