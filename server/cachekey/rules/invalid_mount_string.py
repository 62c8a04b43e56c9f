"""Docker refuses a mount.

VS Code accepts any text as a mount; `docker run --mount` does not, and the container does not
start. In the object form, the Dev Containers tools pass on `type`, `source` and `target` only.

## Bad
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=volume, source=uv-cache, dest=/cache/uv"]
}
```

## Good
```jsonc
{
  "image": "ubuntu:24.04",
  "mounts": ["type=volume,source=uv-cache,dst=/cache/uv"]
}
```

## Fix
The correction, where there is only one: blanks removed, a key or type that is nearly right,
`source` for a build's `id`, `type=bind` for a source that is a path.

## Source
Docker `opts/mount.go`, the engine's `volume/mounts` and the Dev Containers CLI's
`dockerfileUtils.ts` (`generateMountCommand`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.complaints import Complaint, complaints
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import sightings
from cachekey.edits.devcontainer import insert_field, remove_fields
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.dockermount import volume_name
from cachekey.syntax.jsonc.parse import escape, span_in
from cachekey.text import Edit, Mapped, Span

_SHORT = re.compile(r"((?:\$\{[^{}]*\}|(?!\$\{)[^:,=])+):(/[^:,=]*)")
"""The form of ``-v``, which ``mounts`` does not take."""


@rule("CK709", "invalid-mount-string", Severity.ERROR, Fixable.SOMETIMES)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report what Docker complains about; Podman takes other mounts."""
    if ctx.settings.engine == "buildah":
        return
    if isinstance(document, ComposeFile):
        for seen in sightings(document, ctx.project):
            for complaint in complaints(seen.mount):
                yield ctx.finding(complaint.span, complaint.message)
        return
    for mount in document.mounts:
        yield from _mount(mount, ctx)


def _mount(mount: RuntimeMount, ctx: Context) -> Iterator[Finding]:
    for complaint in complaints(mount):
        if not mount.node.closed and complaint.span == mount.span:
            # Something is missing in a mount that is still being typed.
            continue
        fixes = partial(_fixes, mount, complaint, ctx)
        yield ctx.finding(complaint.span, complaint.message, fixes=fixes)


def _fixes(mount: RuntimeMount, complaint: Complaint, ctx: Context) -> Iterator[Fix]:
    document: Devcontainer = ctx.document
    kind, field = complaint.kind, complaint.field
    if kind == "blank":
        yield ctx.fix("Remove the blanks around the keys", partial(_unblank, mount), preferred=True)
    elif kind == "no-type":
        inserted = partial(insert_field, document, mount, "type", _type(mount))
        yield ctx.fix(f"Add the type: {_type(mount)}", inserted, preferred=True)
    elif kind == "path-as-volume":
        safe = mount.field("type") is None
        safety = Safety.SAFE if safe else Safety.UNSAFE
        reason = "" if safe else "a bind mount is another store than a volume"
        title = "Bind the directory with type=bind"
        yield ctx.fix(title, _as_bind(mount), safety=safety, preferred=safe, reason=reason)
    elif kind == "volume-name" and field is not None and field.value is not None:
        name = volume_name(field.value.text)
        if "$" not in field.value.text:
            edit = Edit(field.value_span, escape(name))
            yield ctx.fix(f"Name the volume {name}", edit, preferred=True)
    elif kind == "no-value":
        yield from _short_form(mount, ctx)
    elif kind in ("empty-field", "build-key") and field is not None:
        yield from _field_fix(mount, complaint, ctx)
    elif complaint.meant is not None:
        edit = Edit(complaint.span, complaint.meant)
        yield ctx.fix(f"Write {complaint.meant}", edit, preferred=True)


def _short_form(mount: RuntimeMount, ctx: Context) -> Iterator[Fix]:
    match = _SHORT.fullmatch(mount.text.text.text) if mount.text is not None else None
    if match is not None:
        kind = "bind" if re.match(r"[/.~]|\$\{local", match[1]) else "volume"
        text = f"type={kind},source={match[1]},target={match[2]}"
        yield ctx.fix(f"Write {text}", Edit(mount.span, escape(text)), preferred=True)


def _field_fix(mount: RuntimeMount, complaint: Complaint, ctx: Context) -> Iterator[Fix]:
    field = complaint.field
    if field is None:
        return
    if field.name == "id" and mount.field("source") is None and field.value is not None:
        yield ctx.fix("Write source", Edit(field.key_span, "source"), preferred=True)
        return
    doomed = [field]
    if not field.key.text and mount.text is not None:
        # Several commas in a row are one slip.
        doomed = [item for item in mount.text.fields if not item.key.text and item.value is None]
    edits = partial(remove_fields, ctx.document, mount, doomed)
    title = f"Remove {field.key.text}" if field.key.text else "Remove the comma"
    yield ctx.fix(title, edits, preferred=True)


def _unblank(mount: RuntimeMount) -> Iterator[Edit]:
    return (Edit(span, "") for item in mount.fields for span in _blanks(item.key))


def _blanks(key: Mapped) -> Iterator[Span]:
    left = len(key.text) - len(key.text.lstrip())
    right = len(key.text.rstrip())
    if left:
        yield span_in(key, 0, left)
    if 0 < right < len(key.text):
        yield span_in(key, right)


def _type(mount: RuntimeMount) -> str:
    source = mount.source.text if mount.source is not None else ""
    return "bind" if source.startswith(("/", ".", "${local")) else "volume"


def _as_bind(mount: RuntimeMount) -> Edit:
    field = mount.field("type")
    if field is not None:
        return Edit(field.value_span, "bind")
    return Edit(Span(mount.span.start, mount.span.start), "type=bind,")
