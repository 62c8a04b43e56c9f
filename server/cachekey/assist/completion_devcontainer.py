"""What may be written in devcontainer.json: mount options, types, variables, whole cache mounts.

Mounts are offered for the tools that the file, its features or its Dockerfile show in use; what is
not known is not offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from cachekey.assist.hover_runtime_mount import MOUNT_KEYS
from cachekey.devcontainer.caches import told
from cachekey.devcontainer.inuse import tools_in_use
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.devcontainer.substitution import resolved_late
from cachekey.edits.devcontainer import csv_field
from cachekey.knowledge import Claim
from cachekey.knowledge.records import Kind
from cachekey.markup.markdown import plain
from cachekey.markup.rich import Rich, rich
from cachekey.record import record
from cachekey.syntax.jsonc.dockermount import MountField
from cachekey.syntax.jsonc.parse import escape, quote
from cachekey.syntax.jsonc.tree import Member, Node
from cachekey.text import Span

if TYPE_CHECKING:
    from cachekey.workspace.project import Project

_TYPES = {
    "volume": "a store of the Docker engine, kept over rebuilds",
    "bind": "a directory of the host",
    "tmpfs": "memory, empty at every start",
}
_OPTIONS = {
    "volume": ("source", "target", "readonly", "volume-nocopy"),
    "bind": ("source", "target", "readonly", "consistency"),
    "tmpfs": ("target", "tmpfs-size", "tmpfs-mode"),
}
_VARIABLES = {
    "localEnv:": "a variable of the host",
    "localWorkspaceFolder": "the opened folder, on the host",
    "localWorkspaceFolderBasename": "the opened folder's name",
    "containerWorkspaceFolder": "the workspace in the container",
    "containerWorkspaceFolderBasename": "the workspace folder's name in the container",
    "devcontainerId": "different for every folder, the same after a rebuild",
    "containerEnv:": "a variable of the running container",
}
_BEGUN = re.compile(r"\$(?:\{[A-Za-z]*)?\Z")


@record(frozen=True)
class Proposal:
    """One proposal: ``text`` takes the place of ``span``."""

    label: str
    text: str
    span: Span
    kind: Literal["option", "value", "path", "snippet"]
    detail: str = ""
    documentation: tuple[Rich, ...] = ()
    """Paragraphs."""
    more: bool = False
    """A value comes next: editors may ask again at once."""


def complete_devcontainer(
    project: Project, document: Devcontainer, offset: int
) -> Sequence[Proposal]:
    """Return what may be written at ``offset``, the best first."""
    chain = document.tree.at(offset)
    names = tuple(item.key.text for item in chain if isinstance(item, Member))
    node = next((item for item in reversed(chain) if isinstance(item, Node)), None)
    if node is None:
        return ()
    inside = node.text is not None and node.span.start < offset and _before_end(node, offset)
    if inside:
        found = tuple(_variables(document, names, node, offset))
        if found:
            return found
        mount = next((item for item in document.mounts if item.node is node), None)
        if mount is not None and mount.form == "string" and mount.span.start <= offset:
            return tuple(_in_mount(project, document, mount, offset))
    if names == ("mounts",) and node.kind == "array":
        return tuple(_mounts(project, document, Span(offset, offset), quoted=True))
    if names == ("containerEnv",) and node.kind == "object":
        return tuple(_entries(project, document, node, offset))
    return ()


def _before_end(node: Node, offset: int) -> bool:
    return offset < node.span.end or not node.closed


# -- variables ------------------------------------------------------------------------------------


def _variables(
    document: Devcontainer, names: tuple[str, ...], node: Node, offset: int
) -> Iterator[Proposal]:
    """Complete ``$`` and ``${``, with the variables that have a value at this place."""
    start = node.span.start + 1
    begun = _BEGUN.search(document.source.text[start:offset])
    if begun is None:
        return
    behind = document.source.text[offset : offset + 1]
    span = Span(start + begun.start(), offset + (behind == "}"))
    for name, what in _VARIABLES.items():
        if name == "containerEnv:" and not resolved_late(names):
            continue
        text = f"${{{name}}}"
        if text.startswith(begun.group()):
            yield Proposal(text, text, span, "value", what)


# -- inside a mount -------------------------------------------------------------------------------


def _in_mount(
    project: Project, document: Devcontainer, mount: RuntimeMount, offset: int
) -> Iterator[Proposal]:
    field = next((item for item in mount.fields if item.span.contains(offset)), None)
    if field is None or (len(mount.fields) == 1 and field.value is None):
        yield from _mounts(project, document, mount.span, quoted=False)
    if field is not None and field.value is not None and offset >= field.value.offset(0):
        yield from _values(project, document, mount, field)
        return
    span = field.span if field is not None and field.value is None else None
    if field is not None and span is None:
        span = field.key_span
    present = {item.name for item in mount.fields if item is not field}
    for name in _OPTIONS.get(mount.type or "", _OPTIONS["volume"]):
        if name not in present:
            yield _option(name, span or Span(offset, offset), field)
    if "type" not in present:
        yield _option("type", span or Span(offset, offset), field)


def _option(name: str, span: Span, field: MountField | None) -> Proposal:
    bare = name in ("readonly", "volume-nocopy")
    text = name if bare or (field is not None and field.value is not None) else f"{name}="
    about = MOUNT_KEYS.get(name, ())
    detail = plain(about[0]).partition(": ")[2] if about else ""
    return Proposal(name, text, span, "option", detail, about, more=not bare)


def _values(
    project: Project, document: Devcontainer, mount: RuntimeMount, field: MountField
) -> Iterator[Proposal]:
    span = field.value_span
    if field.name == "type":
        for name, what in _TYPES.items():
            yield Proposal(name, name, span, "value", what)
    elif field.name == "target":
        for _, claim, directory in told(document, project.knowledge):
            what = f"{claim.tool.name} caches here"
            yield Proposal(directory, escape(directory), span, "path", what)
        for claim in _claims(project, document):
            path = _own_place(claim)
            yield Proposal(path, path, span, "path", f"for {claim.tool.name}")
    elif field.name == "source" and mount.type == "volume":
        for claim in _claims(project, document):
            name = claim.cache.id
            yield Proposal(name, name, span, "value", f"{claim.tool.name}, shared by all projects")
            own = f"{name}-${{devcontainerId}}"
            yield Proposal(own, own, span, "value", f"{claim.tool.name}, for this folder only")
    elif field.name == "source" and mount.type == "bind":
        home = "${localEnv:HOME}${localEnv:USERPROFILE}"
        yield Proposal(home, home, span, "value", "the host's home directory")
        yield Proposal("${localWorkspaceFolder}", "${localWorkspaceFolder}", span, "value")


# -- whole mounts ---------------------------------------------------------------------------------


def _claims(project: Project, document: Devcontainer) -> Iterator[Claim]:
    """Yield the caches of the tools in use, and of the image's likeliest where nothing shows one."""
    container = container_of(document, project)
    found = tuple(tools_in_use(container))
    if not found and container.image is not None:
        likely = (project.knowledge.tool(name) for name in container.image.tools[:1])
        found = tuple(Claim(tool, cache) for tool in likely if tool for cache in tool.caches)
    for claim in found:
        if claim.cache.kind is Kind.DOWNLOAD and claim.cache.id:
            yield claim


def _own_place(claim: Claim) -> str:
    return f"/cache/{claim.cache.id.removesuffix('-cache')}"


def _mounts(
    project: Project, document: Devcontainer, span: Span, quoted: bool
) -> Iterator[Proposal]:
    """Offer a volume for each tool in use, on the directory that its variable names."""
    places = {claim.cache.id: path for _, claim, path in told(document, project.knowledge)}
    for claim in _claims(project, document):
        place = places.get(claim.cache.id) or _own_place(claim)
        if any(mount.covers(place) for mount in document.mounts if mount.span != span):
            continue
        text = f"type=volume,source={claim.cache.id},{csv_field(f'target={place}')}"
        pin = claim.cache.pin
        about = [rich("`{}`", text)]
        if pin and claim.cache.id not in places:
            about.append(rich("Set `{}` to `{}` in `containerEnv`.", pin, place))
        yield Proposal(
            f"volume for {claim.tool.name}",
            quote(text) if quoted else escape(text),
            span,
            "snippet",
            claim.cache.what,
            tuple(about),
        )


def _entries(
    project: Project, document: Devcontainer, node: Node, offset: int
) -> Iterator[Proposal]:
    """Offer a tool's variable for each mount that is named like its cache."""
    present = {member.key.text for member in node.members}
    begun = next((m for m in node.members if m.value is None and m.span.contains(offset)), None)
    span = begun.key_span if begun is not None else Span(offset, offset)
    for claim in _claims(project, document):
        pin = claim.cache.pin
        if not pin or (pin in present and (begun is None or begun.key.text != pin)):
            continue
        place = next(
            (
                mount.place
                for mount in document.effective_mounts
                if mount.place and claim.cache.id in (mount.volume, mount.place.strip("/"))
            ),
            _own_place(claim),
        )
        text = f"{quote(pin)}: {quote(place)}"
        yield Proposal(pin, text, span, "snippet", f"{claim.tool.name}: {claim.cache.what}")
