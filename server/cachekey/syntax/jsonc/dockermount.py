"""The value of ``docker run --mount`` (and ``-v``), a span for every key and value.

Follows the Docker command line's ``opts/mount.go``: one CSV record of ``key=value`` fields, keys in
any case, blanks significant, ``type`` volume when it is absent.
"""

from __future__ import annotations

import re

from cachekey.record import record
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Mapped, Span

TYPES = ("volume", "bind", "tmpfs", "npipe", "image", "cluster")
CANONICAL = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}
"""Other spellings of a key, by which Docker means the right side."""
BARE = frozenset({"readonly", "ro", "volume-nocopy", "bind-nonrecursive", "bind-create-src"})
"""Keys that may stand without a value."""
BUILD_ONLY = frozenset(
    {"id", "sharing", "from", "mode", "uid", "gid", "required", "rw", "readwrite", "size", "env"}
)
"""Keys of ``RUN --mount`` in a Dockerfile that ``docker run --mount`` does not have."""
PODMAN = frozenset({"z", "u", "chown", "relabel", "idmap", "notmpcopyup", "tmpcopyup"})
"""Keys, in lower case, that ``podman run --mount`` has beyond Docker's."""
KEYS = (
    *("type", "source", "src", "target", "dst", "destination", "readonly", "ro", "consistency"),
    *("bind-propagation", "bind-nonrecursive", "bind-recursive", "bind-create-src"),
    *("volume-nocopy", "volume-driver", "volume-opt", "volume-label", "volume-subpath"),
    *("image-subpath", "tmpfs-size", "tmpfs-mode"),
)
_BOOLS = frozenset(
    ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")
)
_SIZE = re.compile(r"\d+(?:\.\d+)? ?(?:[kKmMgGtTpP](?:[iI]?[bB])?|[bB])?\Z")
_OCTAL = re.compile(r"[0-7]{1,11}\Z")
_PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
_RECURSIVE = ("enabled", "disabled", "writable", "readonly")


@record(frozen=True)
class MountField:
    """One ``key=value`` of a mount, or one member of the object form."""

    span: Span
    """The whole field."""
    key: Mapped
    """The key as written, blanks included."""
    value: Mapped | None
    """``None`` for a key without ``=``, and for an object's value that is no string."""

    @property
    def name(self) -> str:
        """Return the key by which Docker would know it, blanks trimmed."""
        name = self.key.text.strip().lower()
        return CANONICAL.get(name, name)

    @property
    def key_span(self) -> Span:
        """Return the span of the key."""
        return span_in(self.key)

    @property
    def value_span(self) -> Span:
        """Return the span of the value, of the whole field when it has none."""
        return span_in(self.value) if self.value is not None else self.span

    @property
    def spaced(self) -> bool:
        """Tell whether blanks around the key keep Docker from knowing it."""
        return self.key.text != self.key.text.strip()


@record(frozen=True)
class MountText:
    """A mount string taken apart."""

    text: Mapped
    fields: tuple[MountField, ...]
    problem: tuple[Span, str] | None = None
    """What makes the text no CSV record: the place and Docker's complaint."""

    @property
    def span(self) -> Span:
        """Return the span of the text without the quotes around it."""
        return span_in(self.text)


def parse_mount(text: Mapped) -> MountText:
    """Take a ``--mount`` value apart; never raises."""
    fields: list[MountField] = []
    problem: tuple[Span, str] | None = None
    at, end = 0, len(text)
    while True:
        field, stop, complaint = _field(text, at)
        fields.append(field)
        if complaint and problem is None:
            problem = (field.span, complaint)
        if stop >= end:
            return MountText(text, tuple(fields), problem)
        at = stop + 1


def _field(text: Mapped, at: int) -> tuple[MountField, int, str]:
    """Read the field that begins at ``at``; return it, where it ends, and what is wrong with it."""
    raw = text.text
    if not raw.startswith('"', at):
        stop = raw.find(",", at)
        stop = len(raw) if stop < 0 else stop
        complaint = 'bare " in a field without quotes' if '"' in raw[at:stop] else ""
        return _split(text.slice(at, stop), span_in(text, at, stop)), stop, complaint
    parts: list[Mapped] = []
    index = at + 1
    while True:
        quote = raw.find('"', index)
        if quote < 0:
            parts.append(text.slice(index))
            content = Mapped.join(parts, text.offset(at + 1))
            complaint = 'the quote " is not closed'
            return _split(content, span_in(text, at)), len(raw), complaint
        doubled = raw.startswith('""', quote)
        parts.append(text.slice(index, quote + 1 if doubled else quote))
        if not doubled:
            break
        index = quote + 2
    stop = raw.find(",", quote + 1)
    stop = len(raw) if stop < 0 else stop
    complaint = 'text behind the closing quote "' if stop != quote + 1 else ""
    content = Mapped.join(parts, text.offset(at + 1))
    return _split(content, span_in(text, at, stop)), stop, complaint


def _split(content: Mapped, span: Span) -> MountField:
    index = content.text.find("=")
    if index < 0:
        return MountField(span, content, None)
    return MountField(span, content.slice(0, index), content.slice(index + 1))


def parse_volume(text: Mapped) -> tuple[MountField, ...]:
    """Take a ``-v`` value (``source:target[:options]``) apart into the fields of a mount."""
    raw = re.sub(r"\$\{[^{}]*\}", lambda match: "_" * len(match.group()), text.text)
    drive = re.match(r"[A-Za-z]:[\\/]", raw)
    first = raw.find(":", 2 if drive else 0)
    if first < 0:
        return (_named("target", text),)
    second = raw.find(":", first + 1)
    second = len(raw) if second < 0 else second
    source, target = text.slice(0, first), text.slice(first + 1, second)
    fields = [_named("source", source), _named("target", target)]
    if second < len(raw):
        options = text.slice(second + 1)
        for written, name in (("ro", "readonly"), ("nocopy", "volume-nocopy")):
            if written in options.text.split(","):
                fields.append(_named(name, None, options))
    return tuple(fields)


def _named(name: str, value: Mapped | None, place: Mapped | None = None) -> MountField:
    where = value if value is not None else place
    at = where.offset(0) if where is not None else 0
    span = span_in(where) if where is not None else Span(0, 0)
    return MountField(span, Mapped(name, ((0, at),), at), value)


def value_complaint(field: MountField) -> str | None:
    """Return what Docker says about a literal value of a known key, ``None`` when it takes it."""
    if field.value is None:
        return None
    name, value = field.name, field.value.text
    written = field.key.text.strip().lower()
    if name in ("readonly", "volume-nocopy", "bind-nonrecursive", "bind-create-src"):
        return None if value in _BOOLS else f"invalid value for {written}: {value}"
    if name == "bind-recursive" and value not in _RECURSIVE:
        return f"invalid value for {written}: {value}"
    if name == "bind-propagation" and value.lower() not in _PROPAGATIONS:
        return f"invalid propagation mode: {value}"
    if name == "tmpfs-size" and not _SIZE.match(value):
        return f"invalid value for {written}: {value}"
    if name == "tmpfs-mode" and not _OCTAL.match(value):
        return f"invalid value for {written}: {value}"
    return None


def volume_name_complaint(name: str) -> str | None:
    """Return what the engine says about a literal volume name, ``None`` when it takes it."""
    if len(name) == 1:
        return "volume name is too short, names should be at least two alphanumeric characters"
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", name):
        return "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed in a volume name"
    return None


def volume_name(text: str) -> str:
    """Make a valid volume name of a path or an id; blanks and slashes become dashes."""
    parts = [part.lstrip(".") for part in re.split(r"[^a-zA-Z0-9_.-]+", text)]
    name = "-".join(part for part in parts if part).lstrip("-_.")
    return name if len(name) > 1 else f"{name or 'cache'}-cache" if name else "cache"
