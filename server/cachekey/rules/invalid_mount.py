"""BuildKit refuses a mount.

The build stops at this RUN, or at the first line of the file when the flag cannot be split at all.
The message is the builder's own, on the very option that it complains about.

## Bad
```dockerfile
FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/pip,sharing=lock pip install requests
```

## Good
```dockerfile
FROM python:3.13
RUN --mount=type=cache,target=/root/.cache/pip,sharing=locked pip install requests
```

## Fix
The correction, where there is only one: a name or value that is nearly right, a blank behind a
comma, a user's name where a number must stand. An option that a cache mount does not have is
removed; one that only Buildah and Podman take (`Z`, `U`, `relabel`) when asked for, since the file may
be built by them. In a Containerfile such options are fine. A mount on the root of the image gets the
directories of the one tool that the RUN calls, when asked for.

## Source
BuildKit `frontend/dockerfile/instructions/commands_runmount.go`, `bflag.go` and
`dockerfile2llb/convert_runmount.go`; every complaint is compared with the builder's in
`tests/buildkit`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import BUILDAH_KEYS, KEYS, SHARING, TYPES, Mount, MountError
from cachekey.dockerfile.coverage import covering
from cachekey.dockerfile.records import Run
from cachekey.edits.mount import is_mountable, remove_options
from cachekey.edits.toolmount import ToMount, flags_for, owner_here
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.dockerfile.mountflag import Field
from cachekey.text import Edit, Span

_MEANT = {"share": "sharing", "path": "target", "dir": "target", "name": "id", "key": "id"}
_GUESS = "the three do different things, and the file does not tell which one is meant"
_OTHERS = "where Podman builds this file, it does something"
_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_ID_PAIR = re.compile(r"(\d+):(\d+)\Z")
_BLANK_FOR_COMMA = re.compile(r"[ \t]+(?=(?:target|dst|destination)=/)")
"""What stands between two options of a mount where a comma was meant."""
_NEXT_OPTION = re.compile(r"[ \t]+(?=[A-Za-z]+=)")


@rule("CK601", "invalid-mount", Severity.ERROR, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report each mount that BuildKit would refuse, and each flag that RUN does not have."""
    if run.dormant:
        return
    builder = "Buildah" if ctx.settings.engine == "buildah" else "BuildKit"
    for flag, error in run.flag_errors:
        if flag.name.text in KEYS:
            # The option of a mount in the place of the flag is the matter of CK303.
            continue
        fixes = partial(_corrected, error, ctx)
        yield ctx.finding(flag.span, f"{builder} refuses this flag: {error}", fixes=fixes)
    for mount in run.mounts:
        refused = mount.error
        if refused is not None:
            yield ctx.finding(
                refused.span if refused.span.end > refused.span.start else mount.span,
                f"{builder} refuses this mount{_why(mount, refused)}",
                fixes=partial(_fixes, run, mount, refused, ctx),
            )


def _why(mount: Mount, error: MountError) -> str:
    field = _field(mount, error)
    if _is_buildahs(field):
        assert field is not None
        return f", since only Buildah and Podman take {field.name.text}: {error.message}"
    return f": {error}"


def _field(mount: Mount, error: MountError) -> Field | None:
    return next((item for item in mount.fields if item.span.covers(error.span)), None)


def _is_buildahs(field: Field | None) -> bool:
    """Tell whether this is no slip of the pen, but an option of the other builder."""
    return field is not None and field.key in BUILDAH_KEYS and field.key not in SHARING


def _corrected(error: MountError, ctx: Context) -> Iterator[Fix]:
    meant = error.suggestion or error.correction
    if meant:
        yield ctx.fix(f"Write --{meant}", Edit(error.span, meant), preferred=True)


def _fixes(run: Run, mount: Mount, error: MountError, ctx: Context) -> Iterator[Fix]:
    field = _field(mount, error)
    if _is_buildahs(field):
        assert field is not None
        name = field.name.text
        edits = remove_options(mount, field.key)
        yield ctx.fix(f"Remove {name}", *edits, safety=Safety.UNSAFE, reason=_OTHERS)
        return
    if error.message.startswith("unsupported sharing value") and not error.suggestion:
        # No slip of the pen: which of the three is meant, nobody can tell.
        for word in SHARING:
            edit = Edit(error.span, word)
            yield ctx.fix(f"Write sharing={word}", edit, safety=Safety.UNSAFE, reason=_GUESS)
        return
    if error.message.startswith('invalid mount target "/"'):
        gap = _BLANK_FOR_COMMA.match(ctx.document.source.text, mount.span.end)
        if gap is not None and "target" not in mount.options:
            edit = Edit(Span(*gap.span()), ",")
            yield ctx.fix("Put a comma in front of the target", edit, preferred=True)
        else:
            yield from _for_its_tool(run, mount, ctx)
        return
    found = next(_corrections(run, mount, error, field, ctx), None)
    if found is not None:
        title, changes = found
        yield ctx.fix(title, *changes, preferred=True)


def _for_its_tool(run: Run, mount: Mount, ctx: Context) -> Iterator[Fix]:
    """Offer the directories of the one tool that the RUN calls, in the place of a mount on the root."""
    plain = all(field.key in ("type", "target", "dst", "destination") for field in mount.fields)
    uses = [use for use in run.uses if use.via is None and use.applies is True and use.suggested]
    if mount.type != "cache" or not plain or len({use.tool.id for use in uses}) != 1:
        return
    found: list[ToMount] = []
    for name in uses[0].suggested:
        role, _, part = name.partition("/")
        item = uses[0].directory(role)
        if item is None:
            continue
        if item.path is None or not item.confidence.warns:
            return
        if covering(run, item) in (None, mount):
            found.append((f"{item.path}/{part}" if part else item.path, item))
    if not found or owner_here(run) is None or not all(is_mountable(path) for path, _ in found):
        return
    yield ctx.fix(
        f"Mount {' and '.join(path for path, _ in found)}",
        lambda: [Edit(mount.span, " ".join(flags_for(run, found, ctx.document)))],
        safety=Safety.UNSAFE,
        preferred=True,
        reason="which directory is meant the file does not tell",
    )


Correction = tuple[str, list[Edit]]


def _corrections(
    run: Run, mount: Mount, error: MountError, field: Field | None, ctx: Context
) -> Iterator[Correction]:
    if error.suggestion:
        yield f"Write {error.suggestion}", [Edit(error.span, error.suggestion)]
    elif error.message.startswith("missing a value on flag"):
        gap = _NEXT_OPTION.match(ctx.document.source.text, mount.span.end)
        if gap:
            yield "Join the flag and its value with =", [Edit(Span(*gap.span()), "=")]
    elif field is None:
        yield from _missing_type(mount, error)
    elif field.value is None:
        yield from _bare(mount, field, ctx)
    elif error.message.startswith("unexpected key"):
        yield from _key(mount, field)
    else:
        yield from _missing_type(mount, error)
        yield from _value(run, mount, field)


def _missing_type(mount: Mount, error: MountError) -> Iterator[Correction]:
    """Without ``type`` a mount is a bind mount, which has no sharing and no owner."""
    refused = "bind mount" in error.message or '"bind" type' in error.message
    if refused and "type" not in mount.options and mount.fields:
        start = mount.fields[0].span.start
        yield "Make it a cache mount: type=cache", [Edit(Span(start, start), "type=cache,")]


def _bare(mount: Mount, field: Field, ctx: Context) -> Iterator[Correction]:
    word = field.key
    if word in TYPES and "type" not in mount.options:
        yield f"Write type={word}", [Edit(field.span, f"type={word}")]
    elif word in SHARING:
        yield f"Write sharing={word}", [Edit(field.span, f"sharing={word}")]
    elif not word.strip():
        yield from _empty(mount, field, ctx)
    elif word == "required":
        yield "Remove required", remove_options(mount, "required")


def _empty(mount: Mount, field: Field, ctx: Context) -> Iterator[Correction]:
    index = last = mount.fields.index(field)
    # Several commas in a row are one slip.
    while last + 1 < len(mount.fields) and not mount.fields[last + 1].key:
        last += 1
    if last + 1 < len(mount.fields):
        end = mount.fields[last + 1].span.start
        yield "Remove the comma", [Edit(Span(field.span.start, end), "")]
        return
    text = ctx.document.source.text
    stop = mount.fields[last].span.end
    gap = _NEXT_OPTION.match(text, stop)
    if gap and text[stop - 1 : stop] == "," and index == last:
        yield "Remove the blank behind the comma", [Edit(Span(*gap.span()), "")]
    elif index:
        start = mount.fields[index - 1].span.end
        yield "Remove the comma", [Edit(Span(start, stop), "")]


def _key(mount: Mount, field: Field) -> Iterator[Correction]:
    stripped = field.key.strip()
    meant = _MEANT.get(stripped)
    if meant:
        yield f"Write {meant}", [Edit(field.name.span(), meant)]
    elif stripped != field.key:
        yield "Remove the blank", [Edit(field.name.span(), stripped)]
    elif stripped in ("size", "required"):
        yield f"Remove {stripped}", remove_options(mount, stripped)


def _numbers(run: Run, mount: Mount) -> Iterator[Correction]:
    """Put numbers in the place of names, in ``uid`` and ``gid`` together."""
    edits, written = [], []
    for field in mount.fields:
        account = run.scope.accounts.get(field.value.text) if field.value is not None else None
        if field.key not in ("uid", "gid") or account is None or field.value is None:
            continue
        number = account.uid if field.key == "uid" else account.gid
        if number is not None:
            edits.append(Edit(field.value.span(), str(number)))
            written.append(f"{field.key}={number}")
    if edits:
        yield f"Write {','.join(written)}", edits


def _value(run: Run, mount: Mount, field: Field) -> Iterator[Correction]:
    assert field.value is not None
    text, span = field.value.text, field.value.span()
    pair = _ID_PAIR.match(text)
    if field.key == "type" and ";" in text and text.split(";")[0] in TYPES:
        yield (
            "Separate the options by commas",
            [
                Edit(field.value.span(at, at + 1), ",")
                for at, char in enumerate(text)
                if char == ";"
            ],
        )
    elif field.key == "uid" and pair:
        yield "Write uid and gid", [Edit(span, f"{pair[1]},gid={pair[2]}")]
    elif field.key in ("uid", "gid"):
        yield from _numbers(run, mount)
    elif field.key == "mode" and re.match(r"0o[0-7]+\Z", text):
        yield f"Write mode=0{text[2:]}", [Edit(span, f"0{text[2:]}")]
    elif field.key in ("ro", "readonly", "rw", "readwrite"):
        if text.lower() in _TRUTH:
            meant = _TRUTH[text.lower()]
            yield f"Write {field.key}={meant}", [Edit(span, meant)]
        elif not text:
            yield f"Write {field.key}", [Edit(field.span, field.name.text)]
