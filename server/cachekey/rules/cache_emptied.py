r"""A command of the RUN empties the cache that this RUN mounts.

What lies in a cache mount never reaches the image, so that cleaning it makes nothing smaller: it
only makes the next build begin anew.

## Bad
```dockerfile
FROM debian:13
RUN rm -f /etc/apt/apt.conf.d/docker-clean
RUN --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update \
    && apt-get install -y curl \
    && rm -rf /var/lib/apt/lists/*
```

## Good
```dockerfile
FROM debian:13
RUN rm -f /etc/apt/apt.conf.d/docker-clean
RUN --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update \
    && apt-get install -y curl
```

## Fix
Delete exactly those commands, or those words of an `rm` that removes other things too. Where one removes a
folder around the mount that is no cache itself (`rm -rf /tmp/*`), that is not applied unasked: the image
would keep the other files.

Some commands empty a directory before they fill it: `npm ci` deletes all of `node_modules`, so that a
mount there never saves anything, and a mount below it is in the way and ends the build (`EBUSY`).
There, mount the downloads; that is not applied unasked, since the layer then holds what is installed.

Where nobody knows which generation of a package manager the base has (`dnf` is dnf 4 or dnf5), its clean-up
empties the mount, or it never comes there: the next build finds nothing either way. There the fix is not
applied unasked, since the other one would leave its cache in the layer.

Silent for clean-ups of what no mount of the RUN covers, for single files, and where the command
runs only after a failure or in a branch that does not fill the cache: that is repair, not clean-up.

## Source
Each tool's own manual, named in its file below `knowledge/tools`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from cachekey.buildkit.mounts import Mount
from cachekey.commands.effect import inside
from cachekey.dockerfile.coverage import covering, emptied_first
from cachekey.dockerfile.lost import is_needed
from cachekey.dockerfile.place import Place, same_cache
from cachekey.dockerfile.records import Run
from cachekey.edits.cleanups import CleanUp, clean_ups, deletions, together
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import remove_mount
from cachekey.edits.toolmount import retarget
from cachekey.finding import TOO, Finding, Fix, Safety, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse


@rule("CK305", "cache-emptied", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report what empties a cache mount of its own RUN: once, with all that must go."""
    if run.onbuild or not run.caches:
        return
    folders = [mount.directory for mount in run.caches if mount.directory]
    found = sorted(clean_ups(run, folders), key=lambda one: one.span.start)
    if found:
        yield _finding(run, found, ctx)
    for mount in run.caches:
        yield from _emptied_first(run, mount, ctx)


# -- commands that empty a directory before they fill it ----------------------------------------


def _emptied_first(run: Run, mount: Mount, ctx: Context) -> Iterator[Finding]:
    """Report a mount of, or in, a directory that a command of the RUN deletes before it fills it."""
    for use, item in emptied_first(run):
        folder, path = mount.directory, item.path
        if folder is None or path is None or mount.readonly or not inside(folder, path):
            continue
        words = f"{use.invocation.program} {use.invocation.args[0].text}"
        if folder == path and run.effects.takes_out(folder) is False:
            # Who needs what is installed hears something worse, of CK401 or CK403.
            needed = is_needed(ctx.document, ctx.document.stage_of(run), [folder])
            if needed or not _always_emptied(mount, ctx):
                continue
        together = [place for place in _places(mount, ctx) if _is_emptied(place)]
        if folder == path and together and together[0].mount is not mount:
            # The first one speaks for all.
            continue
        says = (
            f"{words} deletes all of {path} before it installs: this cache never saves anything"
            if folder == path
            else f"{words} deletes all of {path} before it installs, and cannot delete this mount: it "
            "stops with EBUSY"
        )
        yield ctx.finding(
            mount.target_span,
            says,
            related=[
                ctx.related(use.invocation.head, "The command"),
                *ctx.script_line(use.invocation),
                *(ctx.related(place.mount.target_span, TOO) for place in together[1:]),
            ],
            fixes=partial(_downloads, together, use, item, ctx) if folder == path else (),
            severity=None if folder == path else Severity.ERROR,
        )
        return


def _is_emptied(place: Place) -> bool:
    return any(item.path == place.mount.directory for _, item in emptied_first(place.run))


def _always_emptied(mount: Mount, ctx: Context) -> bool:
    """Tell whether each RUN with this cache empties it first: none takes over what another one has left."""
    return all(_is_emptied(place) for place in _places(mount, ctx))


def _places(mount: Mount, ctx: Context) -> Sequence[Place]:
    return same_cache(ctx.document, mount) if mount.key is not None else ()


def _downloads(
    places: Sequence[Place], use: ToolUse, item: UsedDirectory, ctx: Context
) -> Iterator[Fix]:
    better = use.directory(item.cache.instead) if item.cache.instead else None
    if better is None or better.path is None:
        return
    edits: list[Edit] = []
    spared = [covering(place.run, better) is not None for place in places]
    for place, there in zip(places, spared, strict=True):
        if there:
            edits.append(remove_mount(ctx.document, place.mount))
        else:
            edits += retarget(place.run, place.mount, better.path) or []
    title = "Delete this mount" if all(spared) else f"Mount {better.path} instead"
    if len(places) > 1:
        title += f" on {lines_text(place.line + 1 for place in places)}"
    if edits:
        reason = "the installed files become part of the layer"
        yield ctx.fix(title, *edits, safety=Safety.UNSAFE, preferred=True, reason=reason)


# -- fixes ------------------------------------------------------------------------------------


def _finding(run: Run, found: list[CleanUp], ctx: Context) -> Finding:
    first, *more = found
    mounts = (mount for mount in run.caches if mount.directory == first.folder)
    related = [ctx.related(mount.span, "The cache that is emptied") for mount in islice(mounts, 1)]
    related += [ctx.related(one.span, TOO) for one in more if one.span != first.span]
    related += [place for one in found for place in ctx.script_line(one.item)]
    return ctx.finding(
        first.span,
        _says(first),
        related=related,
        fixes=partial(_fixes, found, ctx),
    )


def _says(one: CleanUp) -> str:
    if one.open:
        name = one.item.program
        return (
            f"{name} finds nothing of an earlier build on {one.folder}: this empties its cache, and a "
            f"{name} that keeps it elsewhere never comes here"
        )
    return (
        f"This empties the cache on {one.folder}, which is no part of the image anyway: "
        "the next build starts without it"
    )


def _fixes(found: list[CleanUp], ctx: Context) -> Iterator[Fix]:
    """Offer to delete all that empties a cache; a part of it would leave the cache as empty."""
    edits = deletions(found, ctx.document.source)
    if together(found, edits):
        known = [edit for edit in edits if edit is not None]
        risk = _risk(found)
        yield ctx.fix(
            _title(found, ctx),
            *known,
            safety=Safety.UNSAFE if risk else Safety.SAFE,
            preferred=True,
            reason=risk,
        )


def _risk(found: list[CleanUp]) -> str:
    """Say what a reader should know before the clean-ups go; empty where nobody would mind."""
    if any(one.wide for one in found):
        return "the image keeps the other files that it removes"
    name = next((one.item.program for one in found if one.open), None)
    return f"a {name} that keeps its cache elsewhere leaves it in the layer" if name else ""


def _title(found: list[CleanUp], ctx: Context) -> str:
    if len(found) > 1:
        lines = (ctx.document.source.line_of(one.span.start) + 1 for one in found)
        return f"Delete {len(found)} clean-ups: {lines_text(lines)}"
    words = [word.written for word in found[0].words]
    return f"Do not remove {' and '.join(words)}" if words else "Delete this clean-up"
