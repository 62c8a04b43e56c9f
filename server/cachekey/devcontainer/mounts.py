"""Mounts that a container gets at run time, from every place of a devcontainer.json."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Literal

from cachekey.devcontainer.substitution import literal, variables
from cachekey.knowledge.patterns import matches
from cachekey.record import cached_property, record
from cachekey.syntax.jsonc.dockermount import MountField, MountText, parse_mount, parse_volume
from cachekey.syntax.jsonc.parse import span_in
from cachekey.syntax.jsonc.tree import Element, Node
from cachekey.syntax.yaml import YamlNode
from cachekey.text import Mapped, Span

Origin = Literal["mounts", "runArgs", "workspaceMount", "service", "feature"]
Form = Literal["string", "object", "volume", "tmpfs"]
"""``volume`` and ``tmpfs`` are the flags ``-v`` and ``--tmpfs`` of ``runArgs``; a service's short
form is a ``volume`` too, its long one an ``object``."""

_COMPOSE_VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$(?:\{|[A-Za-z_])")


@record(frozen=True, eq=False)
class RuntimeMount:
    """One mount. Spans are offsets in the devcontainer.json, or in the file ``path``."""

    origin: Origin
    form: Form
    node: Node
    """The string or object that says it."""
    span: Span
    """The mount's text without the quotes; the braces belong to an object's."""
    fields: tuple[MountField, ...]
    text: MountText | None
    """The string form, taken apart."""
    compose: bool
    """The container is one of a compose file, whose rules differ."""
    flag: Node | None = None
    """The element ``--mount`` in front of it, when flag and value are two elements."""
    path: str = ""
    """The compose file that says it; empty for the devcontainer.json itself."""

    def field(self, name: str) -> MountField | None:
        """Return the field that counts for a canonical name: the last one."""
        return next((field for field in reversed(self.fields) if field.name == name), None)

    def value(self, name: str) -> Mapped | None:
        """Return a field's value."""
        field = self.field(name)
        return field.value if field else None

    @cached_property
    def type(self) -> str | None:
        """Return the type in lower case; ``None`` when only a variable tells it.

        A mount string without one is a volume; the object form has no default.
        """
        if self.form == "tmpfs":
            return "tmpfs"
        field = self.field("type")
        if field is not None and (field.value is not None or self.form == "object"):
            text = literal(field.value)
            return text.lower().partition(",")[0] if text is not None else None
        if self.form == "object":
            return ""
        if self.form == "volume" and (source := self.value("source")) is not None:
            return _short_type(source.text)
        return "volume"

    @property
    def source(self) -> Mapped | None:
        """Return the source as written; ``None`` when there is none or it is empty."""
        value = self.value("source")
        return value if value is not None and value.text else None

    @property
    def target(self) -> Mapped | None:
        """Return the target as written."""
        return self.value("target")

    @cached_property
    def place(self) -> str | None:
        """Return the cleaned target, with its variables as written; ``None`` without one."""
        if self.target is None or not self.target.text:
            return None
        text = self.target.text
        if not text.startswith(("/", "${containerWorkspaceFolder}")):
            return None
        if self.path and _COMPOSE_VARIABLE.search(text):
            return None
        return posixpath.normpath(text)

    @cached_property
    def directory(self) -> str | None:
        """Return the cleaned absolute target when it is known literally."""
        text = literal(self.target)
        return posixpath.normpath(text) if text and text.startswith("/") else None

    @cached_property
    def open(self) -> bool:
        """Tell whether a template's option keeps us from reading it."""
        texts = [self.text.text] if self.text else [f.value for f in self.fields if f.value]
        return any(variable.template for text in texts for variable in variables(text))

    @cached_property
    def opaque(self) -> bool:
        """Tell whether variables stand where keys are, so that its fields are not known."""
        return self.open or any(
            item.known for field in self.fields for item in variables(field.key)
        )

    @property
    def names_volume(self) -> bool:
        """Tell whether it is a volume with a name."""
        return self.type == "volume" and self.source is not None

    @cached_property
    def volume(self) -> str | None:
        """Return the volume's name when it is known literally."""
        name = literal(self.source) if self.names_volume else None
        return None if name and self.path and _COMPOSE_VARIABLE.search(name) else name

    @property
    def external(self) -> bool:
        """Tell whether Compose is to take the volume of exactly this name (``external=true``)."""
        return literal(self.value("external")) == "true"

    @property
    def nocopy(self) -> bool:
        """Tell whether an empty volume takes nothing from the image."""
        field = self.field("volume-nocopy")
        return field is not None and (field.value is None or field.value.text.lower() != "false")

    @property
    def readonly(self) -> bool:
        """Tell whether it asks to be read-only."""
        return self.field("readonly") is not None

    def covers(self, path: str) -> bool:
        """Tell whether a cleaned path lies in the mount."""
        place = self.place
        return place is not None and (path == place or path.startswith(place.rstrip("/") + "/"))


_HOST_PATH = re.compile(r"[/.~\\]|[A-Za-z]:|\$\{localWork")
_VARIABLE = re.compile(r"\$\{[^{}]*\}|\$\w+")
_FALLBACK = re.compile(r"\$\{\w+:?-([^{}]*)\}|\$\{localEnv:\w+:([^{}:]*)\}")


def _short_type(source: str) -> str | None:
    """Return what ``source:target`` mounts: a path of the host, or a volume; ``None`` if that is open.

    No volume's name has a slash. What is nothing but a variable may become either.
    """
    if _HOST_PATH.match(source):
        return "bind"
    rest = _VARIABLE.sub("", source)
    if re.search(r"[/\\]", rest):
        return "bind"
    fallback = _FALLBACK.match(source)
    if fallback is not None and _HOST_PATH.match(fallback.group(1) or fallback.group(2) or ""):
        return "bind"
    return None if source and not rest and fallback is None else "volume"


def may_name(source: str, volume: str) -> bool:
    """Tell whether a source may come to the name of a volume, whatever its variables hold."""
    while (plain := _VARIABLE.sub("*", source)) != source:
        source = plain
    return matches(volume, source)


def mounts_of(node: Node | None, *, compose: bool) -> Iterator[RuntimeMount]:
    """Read ``mounts``: strings and objects, or the bare string that happens to work."""
    if node is None:
        return
    nodes = [element.value for element in node.elements] if node.kind == "array" else [node]
    for item in nodes:
        if item.kind == "string" and item.text is not None:
            yield _string(item, item.text, "mounts", compose)
        elif item.kind == "object":
            yield _object(item, compose)


def workspace_mount(node: Node | None, *, compose: bool) -> Iterator[RuntimeMount]:
    """Read ``workspaceMount``; an empty string asks for none."""
    if node is not None and node.text is not None and node.text.text:
        yield _string(node, node.text, "workspaceMount", compose)


_FLAG = re.compile(r"(--mount|--volume|--tmpfs)(?:=|\Z)|(-v)=?")


def run_mounts(node: Node | None, *, compose: bool) -> Iterator[RuntimeMount]:
    """Read the mounts among ``runArgs``: as pairs, with ``=``, and ``-v`` glued to its value."""
    elements: tuple[Element, ...] = node.elements if node is not None else ()
    index = 0
    while index < len(elements):
        item = elements[index].value
        index += 1
        match = _FLAG.match(item.text.text) if item.text else None
        if item.text is None or match is None:
            continue
        flag = match.group(1) or match.group(2)
        if match.end() < len(item.text) or match.group().endswith("="):
            yield _flag(flag, item, item.text.slice(match.end()), compose, None)
        elif index < len(elements) and (value := elements[index].value).text is not None:
            index += 1
            yield _flag(flag, value, value.text, compose, item)


def _flag(flag: str, node: Node, text: Mapped, compose: bool, before: Node | None) -> RuntimeMount:
    if flag == "--mount":
        return _string(node, text, "runArgs", compose, before)
    if flag == "--tmpfs":
        named = _tmpfs(text)
        return RuntimeMount("runArgs", "tmpfs", node, span_in(text), named, None, compose, before)
    fields = parse_volume(text)
    return RuntimeMount("runArgs", "volume", node, span_in(text), fields, None, compose, before)


def _tmpfs(text: Mapped) -> tuple[MountField, ...]:
    """Read ``target[:options]``."""
    stop = text.text.find(":")
    target = text.slice(0, stop if stop >= 0 else None)
    key = Mapped("target", ((0, target.offset(0)),), target.offset(0))
    return (MountField(span_in(target), key, target),)


def _string(
    node: Node, text: Mapped, origin: Origin, compose: bool, flag: Node | None = None
) -> RuntimeMount:
    parsed = parse_mount(text)
    return RuntimeMount(origin, "string", node, parsed.span, parsed.fields, parsed, compose, flag)


def _object(node: Node, compose: bool) -> RuntimeMount:
    fields = tuple(
        MountField(member.span, member.key, member.value.text if member.value else None)
        for member in node.effective()
    )
    return RuntimeMount("mounts", "object", node, node.span, fields, None, compose)


def service_mount(item: YamlNode, path: str) -> RuntimeMount | None:
    """Read one entry of a service's ``volumes``, in the short or in the long form."""
    if item.text is not None:
        fields = parse_volume(item.text)
        node = Node("string", item.span, item.text)
        span = span_in(item.text)
        return RuntimeMount("service", "volume", node, span, fields, None, False, None, path)
    if item.kind != "mapping":
        return None
    found = [*_long_fields(item, ""), *_long_fields(item.get("volume"), "volume-")]
    node = Node("object", item.span)
    return RuntimeMount("service", "object", node, item.span, tuple(found), None, False, None, path)


def tmpfs_mount(item: YamlNode, text: Mapped, path: str) -> RuntimeMount:
    """Read one entry of a service's ``tmpfs``."""
    node, span = Node("string", item.span, text), span_in(text)
    return RuntimeMount("service", "tmpfs", node, span, _tmpfs(text), None, False, None, path)


_LONG = {"type", "source", "target", "volume-nocopy", "volume-subpath"}


def _long_fields(node: YamlNode | None, prefix: str) -> Iterator[MountField]:
    for name, (key, value) in node.entries.items() if node is not None else ():
        canonical = "readonly" if name == "read_only" else prefix + name
        on = value.text is not None and value.text.text.lower() != "false"
        if canonical in _LONG or (canonical == "readonly" and on):
            span = Span(key.span.start, max(key.span.end, value.span.end))
            yield MountField(
                span, Mapped(canonical, ((0, key.span.start),), key.span.end), value.text
            )
