"""What ``docker run --mount`` says about a mount of a devcontainer.json.

Follows the Docker command line's ``opts/mount.go`` field by field, then the engine's
``volume/mounts`` validation. Values that hold variables are not judged beyond what is certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.substitution import literal, stable, variables
from cachekey.record import record
from cachekey.suggest import nearest
from cachekey.syntax.jsonc.dockermount import (
    BARE,
    BUILD_ONLY,
    KEYS,
    PODMAN,
    TYPES,
    MountField,
    value_complaint,
    volume_name_complaint,
)
from cachekey.text import Span

Kind = Literal[
    "csv",
    "blank",
    "empty-field",
    "no-value",
    "build-key",
    "unknown-key",
    "value",
    "type",
    "no-type",
    "mix",
    "no-target",
    "target",
    "volume-name",
    "path-as-volume",
    "source",
]


@record(frozen=True)
class Complaint:
    """One reason for which Docker refuses a mount."""

    kind: Kind
    span: Span
    message: str
    field: MountField | None = None
    meant: str | None = None
    """What was probably meant in place of the text at ``span``."""


def complaints(mount: RuntimeMount) -> tuple[Complaint, ...]:
    """Return why Docker refuses a mount; nothing for cache mounts, which are another matter.

    In a compose configuration the Dev Containers tools read the mount themselves, leniently; of a
    service's mount the target is judged, the rest is Compose's. A key that only Podman has tells that
    Docker is not asked at all.
    """
    kind = mount.field("type")
    if mount.form == "object" and not mount.path and kind is not None and kind.value is None:
        message = "The type of a mount is a text, anything else Docker refuses"
        return (Complaint("type", kind.span, message, kind),)
    if mount.compose or mount.opaque or mount.type in ("cache", None):
        return ()
    if mount.path:
        # A compose file has variables of its own.
        return () if mount.target is None or "$" in mount.target.text else tuple(_target(mount))
    if mount.form == "object":
        return tuple(_object(mount))
    if any(field.name in PODMAN for field in mount.fields):
        return ()
    if mount.form == "volume":
        return tuple(_target(mount))
    if mount.text is None:
        return ()
    if mount.text.problem is not None:
        span, message = mount.text.problem
        return (Complaint("csv", span, f"Docker cannot read this mount: {message}"),)
    fields = tuple(_fields(mount))
    # A key that was not read may well be the target's.
    unread = any(item.kind in ("unknown-key", "no-value") for item in fields)
    target = [item for item in _target(mount) if not (unread and item.kind == "no-target")]
    return (*fields, *_mixed(mount), *target, *_engine(mount))


def _fields(mount: RuntimeMount) -> Iterator[Complaint]:
    spaced = False
    for field in mount.fields:
        written = field.key.text
        known = field.name in KEYS
        if field.spaced:
            if not spaced:
                message = (
                    f"Docker takes the blank for part of the option's name and refuses '{written}'"
                )
                yield Complaint("blank", field.key_span, message, field)
            spaced = True
            continue
        if field.value is None and written.lower() not in BARE:
            yield _valueless(field)
        elif not known:
            yield _unknown(field)
        elif field.value is not None and literal(field.value) is not None:
            complaint = value_complaint(field)
            if complaint:
                message = f"Docker refuses this mount: {complaint}"
                yield Complaint("value", field.span, message, field)


def _valueless(field: MountField) -> Complaint:
    written = field.key.text
    message = f"Docker refuses this mount: invalid field '{written}' must be a key=value pair"
    if not written:
        return Complaint("empty-field", field.span, message, field)
    if field.name in BUILD_ONLY:
        return Complaint("build-key", field.span, message, field)
    return Complaint("no-value", field.span, message, field)


def _unknown(field: MountField) -> Complaint:
    written = field.key.text
    if field.name in BUILD_ONLY:
        what = "the name of a volume is its 'source'" if field.name == "id" else "only a build has"
        message = f"A container's mount has no option '{written}': {what}"
        return Complaint("build-key", field.key_span, message, field)
    meant = nearest(written.lower(), KEYS)
    message = f"A container's mount has no option '{written}'"
    return Complaint("unknown-key", field.key_span, message, field, meant)


def _mixed(mount: RuntimeMount) -> Iterator[Complaint]:
    for field in mount.fields:
        family = field.name.partition("-")[0]
        if family not in ("volume", "bind", "tmpfs", "image") or field.name not in KEYS:
            continue
        if "-" in field.name and mount.type in TYPES and mount.type != family:
            message = f"The option '{field.name}' is one of type={family}, this mount is type={mount.type}"
            yield Complaint("mix", field.span, message, field)


def _target(mount: RuntimeMount) -> Iterator[Complaint]:
    field = mount.field("target")
    if field is None or field.value is None or not field.value.text:
        if field is None or not field.spaced:
            span = mount.span if field is None else field.span
            yield Complaint("no-target", span, "Docker refuses a mount without a target", field)
        return
    if field.spaced or not _judgeable(field):
        return
    text = field.value.text
    if re.match(r"[A-Za-z]:[\\/]|\\\\", text) or text.startswith(("/", "${")):
        if text == "/":
            message = "Docker refuses to mount over '/'"
            yield Complaint("target", field.value_span, message, field)
        return
    message = f"Docker refuses the target '{text}'{_why(text)}"
    yield Complaint("target", field.value_span, message, field)


def _why(text: str) -> str:
    """Tell why a path is not absolute, to be put behind it."""
    match = re.match(r"~|\$\w*", text)
    if match is not None:
        return f": no shell expands '{match.group()}' here"
    return ", which is not absolute"


def _engine(mount: RuntimeMount) -> Iterator[Complaint]:
    kind, field = mount.field("type"), mount.field("source")
    if kind is not None and not kind.spaced and mount.type not in TYPES:
        meant = nearest(mount.type or "", TYPES)
        message = f"Docker has no mount type '{mount.type}'"
        yield Complaint("type", kind.value_span, message, kind, meant)
        return
    if field is None or field.spaced or field.value is None:
        if mount.type == "bind" and field is None:
            message = "Docker refuses a bind mount without a source"
            yield Complaint("source", mount.span, message, field)
        return
    if _judgeable(field):
        yield from _source(mount, field)


def _source(mount: RuntimeMount, field: MountField) -> Iterator[Complaint]:
    text = field.value.text if field.value is not None else ""
    span = field.value_span
    if mount.type == "bind":
        if not text:
            message = "Docker refuses a bind mount with an empty source"
            yield Complaint("source", field.span, message, field)
        elif not re.match(r"[/.\\]|[A-Za-z]:|\$\{", text):
            message = f"Docker refuses the bind source '{text}'{_why(text)}"
            yield Complaint("source", span, message, field)
    elif mount.type == "tmpfs" and text:
        message = f"Docker refuses the source '{text}': a tmpfs has none"
        yield Complaint("source", field.span, message, field)
    elif mount.type == "volume" and text:
        yield from _volume(field, text, span)


def _volume(field: MountField, text: str, span: Span) -> Iterator[Complaint]:
    rest = stable(text)
    if re.search(r"[/\\]", rest) or text.startswith("${localWorkspaceFolder}"):
        message = (
            f"Docker takes '{text}' for the name of a volume and refuses it: a path needs type=bind"
        )
        yield Complaint("path-as-volume", span, message, field)
    elif rest == text:
        complaint = volume_name_complaint(text)
        if complaint:
            message = f"Docker refuses '{text}' as a volume's name: {complaint}"
            yield Complaint("volume-name", span, message, field)
    elif re.search(r"[^a-zA-Z0-9_.-]", rest):
        message = f"Docker refuses '{text}' as a volume's name: a character is not allowed"
        yield Complaint("volume-name", span, message, field)


def _object(mount: RuntimeMount) -> Iterator[Complaint]:
    """Judge the object form, of which the tools pass on type, source and target only."""
    kind = mount.field("type")
    exact = {field.key.text: field for field in mount.fields}
    if "type" not in exact and kind is not None:
        message = "An object without 'type' becomes type=undefined, which Docker refuses"
        yield Complaint("type", kind.key_span, message, kind, "type")
        return
    if "type" not in exact:
        message = "An object without 'type' becomes type=undefined, which Docker refuses"
        yield Complaint("no-type", mount.span, message)
        return
    if kind is not None and kind.value is not None and mount.type not in TYPES:
        meant = nearest(mount.type or "", TYPES)
        message = f"Docker has no mount type '{mount.type}'"
        yield Complaint("type", kind.value_span, message, kind, meant)
        return
    if "target" not in exact:
        other = mount.field("target")
        span = other.key_span if other else mount.span
        message = "An object without 'target' becomes dst=undefined, which Docker refuses"
        yield Complaint("no-target", span, message, other, "target" if other else None)
    else:
        yield from _target(mount)
    yield from _engine(mount)


def _judgeable(field: MountField) -> bool:
    """Tell whether no variable in a value is wrong in itself: that is reported as such."""
    found = variables(field.value) if field.value is not None else ()
    return all(item.known and item.kind != "containerEnv" for item in found)
