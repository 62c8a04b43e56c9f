"""What a hover says in devcontainer.json: a mount, a variable, a tool's cache variable at run time.

Everything here is rich text: whoever shows it decides what becomes of its code and links.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cachekey.assist.hover_container import (
    command_lines,
    container_lines,
    feature_lines,
    host_command_lines,
)
from cachekey.assist.hover_runtime_mount import MOUNT_KEYS, mount_card
from cachekey.devcontainer.caches import claim_of_variable
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer, EnvEntry
from cachekey.devcontainer.running import container_of
from cachekey.devcontainer.substitution import HOST_ENV, Variable, literal, resolved_late
from cachekey.markup.rich import Rich, lines, link, rich
from cachekey.text import Span

if TYPE_CHECKING:
    from cachekey.workspace.project import Project


def hover_devcontainer(
    project: Project, document: Devcontainer, offset: int
) -> tuple[Span, tuple[Rich, ...]] | None:
    """Explain what stands at ``offset``; None where there is nothing to say."""
    for path, _, variable in document.variables:
        if variable.span.start <= offset < variable.span.end:
            return variable.span, tuple(_variable(path, variable, document))
    for mount in document.mounts:
        if mount.span.contains(offset):
            return _mount_hover(project, document, mount, offset)
    for entry in document.env:
        if entry.span.contains(offset):
            found = tuple(_entry(project, document, entry))
            return (entry.span, found) if found else None
    return None if document.feature else _decisive(project, document, offset)


def _mount_hover(
    project: Project, document: Devcontainer, mount: RuntimeMount, offset: int
) -> tuple[Span, tuple[Rich, ...]] | None:
    for field in mount.fields:
        if field.key_span.contains(offset) and mount.form in ("string", "object"):
            about = MOUNT_KEYS.get(field.name)
            if about and field.key_span.end > field.key_span.start:
                return field.span, about
    found = tuple(mount_card(project, container_of(document, project), mount))
    return (mount.span, found) if len(found) > 1 else None


_DECIDES = (
    *("image", "build", "dockerFile", "dockerComposeFile", "service", "remoteUser"),
    *("containerUser", "workspaceFolder", "workspaceMount"),
)
"""Properties that decide what runs; a hover on each tells all of it."""
_GATHERS = ("features", "mounts", "containerEnv", "remoteEnv", "runArgs")
"""Properties whose parts have hovers of their own."""


def _decisive(
    project: Project, document: Devcontainer, offset: int
) -> tuple[Span, tuple[Rich, ...]] | None:
    """Explain what decides about the container: image, user, features, lifecycle commands."""
    for name in _DECIDES:
        member = document.root.member(name)
        if member is not None and member.span.contains(offset):
            return member.span, tuple(container_lines(container_of(document, project)))
    for command in document.lifecycle:
        if command.member.span.contains(offset):
            about = command_lines(command, container_of(document, project))
            return command.member.span, tuple(about)
    started = document.initialize
    if started is not None and started.member.span.contains(offset):
        return started.member.span, tuple(host_command_lines(started))
    container = container_of(document, project)
    for use in container.features:
        if use.member.span.contains(offset):
            return use.member.span, tuple(feature_lines(use))
    for name in _GATHERS:
        member = document.root.member(name)
        if member is not None and member.span.contains(offset):
            return member.span, tuple(container_lines(container))
    return None


# -- variables ------------------------------------------------------------------------------------


def _variable(path: tuple[str, ...], variable: Variable, document: Devcontainer) -> Iterator[Rich]:
    name = variable.text
    if variable.template:
        yield rich("**`{}`**: an option of the template", name)
        yield rich("Replaced when the template is applied, before this file is ever used")
    elif not variable.known:
        yield rich("**`{}`**: not known to the Dev Containers tools", name)
        yield rich("It stays in the text as it is, without a message")
        if variable.meant:
            yield rich("Known and near: `{}`", variable.meant)
    elif variable.kind in HOST_ENV:
        yield from _host_variable(variable)
    elif variable.kind == "containerEnv":
        yield rich("**`{}`**: the variable `{}` in the running container", name, variable.name)
        late = resolved_late(path)
        yield (
            rich("Has a value here") if late else rich("Has no value here: the text stays as it is")
        )
        yield rich("Works in `remoteEnv`, lifecycle commands and `customizations` only")
    else:
        yield from _plain(variable, document)


def _host_variable(variable: Variable) -> Iterator[Rich]:
    yield rich("**`{}`**: the variable `{}` of the host", variable.text, variable.name)
    yield rich("Read on the editor's machine when the container is made, maybe without a profile")
    if variable.default is None:
        yield rich("Unset there: nothing, an empty text")
    else:
        yield rich(
            "Unset there: `{}`; set to nothing there: nothing all the same", variable.default
        )
    if variable.cut:
        yield rich("The default ends at its first colon")
    yield rich("No `.env` file is read, `~` and `$HOME` are not expanded")


def _plain(variable: Variable, document: Devcontainer) -> Iterator[Rich]:
    yield rich("**`{}`**: {}", variable.text, _PLAIN[variable.kind][0])
    yield from _PLAIN[variable.kind][1:]
    folder = document.workspace_folder
    if variable.kind.startswith("containerWorkspaceFolder"):
        where = rich("`{}`", folder) if folder else rich("`/workspaces/` and the folder's name")
        here = variable.kind == "containerWorkspaceFolder"
        yield rich("Here: {}", where) if here else rich("Of {}", where)


_PLAIN: dict[str, tuple[Rich, ...]] = {
    "localWorkspaceFolder": lines(
        "the folder that is opened, on the host",
        "With a remote or Windows engine the path is that machine's",
    ),
    "localWorkspaceFolderBasename": lines(
        "the name of the folder that is opened",
        "A blank in it makes a volume's name invalid; clones of one name share such a volume",
    ),
    "containerWorkspaceFolder": lines(
        "the workspace in the container",
    ),
    "containerWorkspaceFolderBasename": lines(
        "the name of the workspace's folder in the container",
    ),
    "devcontainerId": lines(
        "52 letters and digits for this folder and this devcontainer.json",
        "The same after a rebuild; another clone has another one",
        "In a volume's name: one volume for each project, shared with none",
    ),
}


# -- environment ----------------------------------------------------------------------------------


_REBUILD = rich("Seen by every process of the container; a change needs a rebuild")
_SEEN_BY = {
    "containerEnv": _REBUILD,
    "remoteEnv": rich(
        "Seen by lifecycle commands and terminals only, not by the container's processes"
    ),
    "runArgs": _REBUILD,
}


def _entry(project: Project, document: Devcontainer, entry: EnvEntry) -> Iterator[Rich]:
    found = claim_of_variable(project.knowledge, entry.name)
    if found is None:
        return
    claim, below = found
    tool, text = claim.tool, entry.value.text if entry.value is not None else ""
    where = f"{text.rstrip('/')}/{below}" if below else text
    yield rich("**`{}`**: {} keeps {} in `{}`", entry.name, tool.name, claim.cache.what, where)
    yield _SEEN_BY[entry.place]
    yield rich("Not seen while the image is built: a `RUN` needs ENV or ARG of the Dockerfile")
    mounts = [mount for mount in document.effective_mounts if mount.covers(where)]
    if mounts:
        mount = mounts[-1]
        line = document.source.line_of(mount.span.start) + 1
        source = rich(" `{}`", mount.source.text) if mount.source is not None else Rich()
        yield rich("Mounted there: {}{} (line {})", mount.type or "something", source, str(line))
    elif literal(entry.value) is not None:
        yield rich("Nothing of this file is mounted there: the cache then goes with the container")
    if tool.source:
        # The address in somebody's own settings is text like any other.
        own = tool.id in project.settings.tools
        yield rich("Source: {}", tool.source if own else link(tool.source, tool.source))
