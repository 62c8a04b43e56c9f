"""What a hover says in a compose file, of services that dev containers are and of all others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from cachekey.assist.hover_container import container_lines, variable_lines
from cachekey.assist.hover_runtime_mount import mount_card
from cachekey.assist.rename_volume import same_volume
from cachekey.builds.composefile import overrides
from cachekey.devcontainer.compose import ComposeFile, Service, engine_name
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.running import container_of, service_alone, sightings
from cachekey.markup.rich import Rich, joined, rich
from cachekey.text import Span

if TYPE_CHECKING:
    from cachekey.workspace.project import Project

_MANY = 5
_DECIDES = ("image", "build", "user", "working_dir", "extends", "command", "entrypoint")


def hover_compose(
    project: Project, document: ComposeFile, offset: int
) -> tuple[Span, tuple[Rich, ...]] | None:
    """Explain a mount of a service, or what decides about the service."""
    for seen in sightings(document, project):
        if seen.mount.span.contains(offset):
            return seen.mount.span, tuple(mount_card(project, seen.container, seen.mount))
    for other in project.composers(document.path):
        found = _about(document, container_of(other, project), offset)
        if found is not None:
            return found
    alone = _alone(project, document, offset)
    if alone is None:
        return _volume(project, document, offset)
    for mount in alone.mounts:
        if mount.path == document.path and mount.span.contains(offset):
            return mount.span, tuple(mount_card(project, alone, mount))
    return _about(document, alone, offset)


def _volume(
    project: Project, document: ComposeFile, offset: int
) -> tuple[Span, tuple[Rich, ...]] | None:
    """Explain a volume where the file declares it."""
    for name, key, value in document.section("volumes"):
        if not key.span.contains(offset):
            continue
        engine = engine_name(key, value)
        known = rich(
            "Compose puts the project's name in front of it: other projects do not share it"
        )
        if engine is not None:
            known = rich("Every project of this engine knows it as `{}`", engine.text)
        found = [
            rich("{}", f"{path}:{line + 1}")
            for path, place in same_volume(project, document.path, offset)
            if not place.declares and (model := project.model(path)) is not None
            for line in (model.source.line_of(place.name.span().start),)
        ]
        more = rich(" and {} more", str(len(found) - _MANY)) if len(found) > _MANY else Rich()
        named = rich("Nothing that was read mounts it")
        if found:
            named = rich("Mounted on {}{}", joined(", ", found[:_MANY]), more)
        return key.span, (rich("**Volume `{}`**", name), known, named)
    return None


def _alone(project: Project, document: ComposeFile, offset: int) -> Container | None:
    """Return the container of the service at a place, where no devcontainer.json has it."""
    for name, key, node in document.section("services"):
        if key.span.contains(offset) or node.span.contains(offset):
            over = (path for path in overrides(document.path) if project.read(path) is not None)
            return service_alone(document, [document.path, *islice(over, 1)], name, project)
    return None


def _about(
    document: ComposeFile, container: Container, offset: int
) -> tuple[Span, tuple[Rich, ...]] | None:
    """Explain what a file says of a container's service."""
    service = container.service
    if service is None:
        return None
    for key in _named(document, service):
        if key.contains(offset):
            return key, tuple(container_lines(container))
    for variable in service.environment.values():
        if variable.path == document.path and variable.span.contains(offset):
            about = tuple(variable_lines(variable, container))
            return (variable.span, about) if about else None
    for name in _DECIDES:
        said = service.setting(name)
        if said is not None and said.path == document.path and said.span.contains(offset):
            return said.span, tuple(container_lines(container))
    for key in _keys(document, service.name):
        if key.contains(offset):
            return key, tuple(container_lines(container))
    return None


def _named(document: ComposeFile, service: Service) -> Iterator[Span]:
    """Yield the names under which the file has a part of the service: its own, and one it extends."""
    said = [
        setting.span
        for settings in service.settings.values()
        for setting in settings
        if setting.path == document.path
    ]
    for name, key, node in document.section("services"):
        if name == service.name or any(node.span.covers(span) for span in said):
            yield key.span


def _keys(document: ComposeFile, service: str) -> Iterator[Span]:
    """Yield where the file writes the names of a service's settings."""
    for name, _, node in document.section("services"):
        if name == service:
            yield from (key.span for key, _ in node.entries.values())
