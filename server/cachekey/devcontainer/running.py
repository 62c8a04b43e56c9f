"""Finds what a devcontainer.json runs, and puts the container together from it."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cachekey.devcontainer.compose import ComposeFile, compose
from cachekey.devcontainer.container import Container, PlainService
from cachekey.devcontainer.localfeature import local_feature
from cachekey.devcontainer.makings import FeatureUse
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.paths import within
from cachekey.devcontainer.read import Devcontainer, read_devcontainer
from cachekey.devcontainer.substitution import literal
from cachekey.dockerfile.records import Dockerfile, Stage
from cachekey.dockerfile.scoping import BuildOptions
from cachekey.dockerfile.stages import read_dockerfile
from cachekey.knowledge.features import feature
from cachekey.record import record
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Source, Span

if TYPE_CHECKING:
    from cachekey.devcontainer.surroundings import Surroundings


class KnownTexts:
    """Reads files for one container and remembers which, so that it can be told when it is stale."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.seen: dict[str, str | None] = {}

    def read(self, path: str) -> str | None:
        """Return the text of a file of the workspace, or None."""
        if path not in self.seen:
            self.seen[path] = self._now(path)
        return self.seen[path]

    def _now(self, path: str) -> str | None:
        document = self.around.documents.get(path)
        return document.source.text if document is not None else self.around.read(path)

    def fresh(self) -> bool:
        """Tell whether everything that was read still says the same."""
        return all(self._now(path) == text for path, text in self.seen.items())


def container_of(document: Devcontainer, around: Surroundings) -> Container:
    """Return the container that a devcontainer.json makes; whatever the files hold, never fails.

    It is made once for a state of the document and of the files it was made from.
    """
    kept = document.__dict__.get("_container")
    if isinstance(kept, Container) and _fresh(kept.texts, around):
        return kept
    made = _make(document, around)
    document.__dict__["_container"] = made
    return made


def _fresh(texts: object, around: Surroundings) -> bool:
    return isinstance(texts, KnownTexts) and texts.around is around and texts.fresh()


def service_alone(
    file: ComposeFile, paths: Sequence[str], name: str, around: Surroundings
) -> Container:
    """Return a service of a compose file by itself, as ``docker compose up`` runs it.

    ``paths`` are the files that Compose reads, the first one first. It is made once, like any container.
    """
    kept: dict[tuple[str, ...], Container] = file.__dict__.setdefault("_alone", {})
    key = (name, *paths)
    known = kept.get(key)
    if known is not None and _fresh(known.texts, around):
        return known
    folder = posixpath.dirname(paths[0])
    files = [posixpath.relpath(path, folder or ".") for path in paths]
    text = json.dumps({"dockerComposeFile": files, "service": name})
    # The very file that somebody would write who wanted to develop in it.
    bare = read_devcontainer(posixpath.join(folder, "devcontainer.json"), Source(text))
    made = kept[key] = _make(bare, around, PlainService)
    return made


def _make(
    document: Devcontainer, around: Surroundings, kind: type[Container] = Container
) -> Container:
    texts = KnownTexts(around)
    features = tuple(
        FeatureUse(item, feature(name) or local_feature(name, document.path, texts.read))
        for item in document.features
        for name in (item.key.text,)
    )
    composition = service = dockerfile = None
    target: str | None = None
    context: str | None = None
    builds = False
    reference = literal(document.image) if document.image is not None else None
    if document.compose:
        composition = compose(document.compose_paths, texts.read)
        name = literal(document.root.string("service"))
        service = composition.service(name) if name else None
        reference = None
        if service is not None and (build := service.build) is not None:
            builds, target, context = True, build.target, build.context
            dockerfile = _dockerfile(build.dockerfile, build.args, texts)
        elif service is not None and (said := service.setting("image")) is not None:
            reference = said.text.text if said.text is not None else None
    elif document.build_target is not None:
        build_target = document.build_target
        builds, target, reference = True, build_target.target, None
        context = build_target.context
        dockerfile = _dockerfile(build_target.path, build_target.args, texts)
    stage = _stage(dockerfile, target)
    image = around.knowledge.image(reference) if reference else None
    if stage is not None:
        base = stage.chain[-1].base
        image, reference = base.facts, base.reference.text
    if image is not None and not image.confidence.warns:
        # What is only remembered accuses nobody; an image that nobody knows does not, either.
        image = None
    return kind(
        document,
        around.knowledge,
        texts,
        composition,
        service,
        dockerfile,
        stage,
        builds,
        reference,
        image,
        features,
        context,
    )


def _dockerfile(path: str | None, args: Mapping[str, str], texts: KnownTexts) -> Dockerfile | None:
    text = texts.read(path) if path is not None else None
    if path is None or text is None:
        return None
    folder = posixpath.dirname(path)

    def config(name: str) -> str | None:
        inside = within(folder, name)
        return texts.read(inside) if inside else None

    options = BuildOptions(args)
    return read_dockerfile(path, Source(text), options, texts.around.knowledge, config)


def _stage(dockerfile: Dockerfile | None, target: str | None) -> Stage | None:
    if dockerfile is None or not dockerfile.stages:
        return None
    if target is None:
        return dockerfile.stages[-1]
    wanted = target.lower()
    return next(
        (s for s in dockerfile.stages if wanted in ((s.name or "").lower(), str(s.index))), None
    )


@record(frozen=True, eq=False)
class Sighting:
    """A mount of a container, and where a document speaks of it."""

    container: Container
    mount: RuntimeMount
    span: Span
    """The target where the document writes the mount, else the service that has it."""
    own: bool
    """The document itself writes it."""


def sightings(document: Devcontainer | ComposeFile, around: Surroundings) -> Iterator[Sighting]:
    """Yield the mounts of a devcontainer.json's container, or those that a compose file gives to one.

    A compose file that no devcontainer.json names gives nothing; a mount that several containers
    have comes once.
    """
    if isinstance(document, Devcontainer):
        container = container_of(document, around)
        for mount in container.mounts:
            yield Sighting(container, mount, container.spot(mount), not mount.path)
        return
    seen: set[int] = set()
    for other in around.composers(document.path):
        container = container_of(other, around)
        for mount in container.mounts:
            if mount.path == document.path and mount.span.start not in seen:
                seen.add(mount.span.start)
                span = span_in(mount.target) if mount.target is not None else mount.span
                yield Sighting(container, mount, span, True)
