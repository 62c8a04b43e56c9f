"""An install command has no cache at all.

Each build downloads everything anew as soon as the layer is rebuilt. A cache mount in the right
place, for this user and this image, keeps the downloads on the builder.

## Bad
```dockerfile
FROM node:22
USER node
WORKDIR /home/node/app
RUN npm ci
```

## Good
```dockerfile
FROM node:22
USER node
WORKDIR /home/node/app
RUN --mount=type=cache,target=/home/node/.npm,uid=1000,gid=1000 npm ci
```

## Fix
Add the mounts that this tool needs here. Where the tool has two caches and one of them is mounted, that is
the other one. A flag that switches the cache off and a clean-up that
would empty the mount are removed by the same edit, and where the image deletes packages after each installation, a RUN
in front of the first one lets it keep them. The image no longer holds what the tool leaves in its cache, and so the fix
is not applied unasked.

A hint without a squiggle. Silent where the place of the cache or the user is not known, where a
variable switches the cache off, where a mount of the RUN may already hold it, and where the RUN removes a
folder around that place that is no cache itself (`rm -rf /tmp/*`, `rm -rf /opt/conda`): a mount would be in its way.

## Source
Each tool's own manual, named in its file below `knowledge/tools`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cachekey.commands.effect import inside, meets
from cachekey.dockerfile.coverage import (
    covering,
    fetches_for_nobody,
    linked,
    maybe_covered,
    surely_idle,
)
from cachekey.dockerfile.idle import candidates
from cachekey.dockerfile.purpose import Purpose, purpose_of
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.caches import in_file, merge_edits
from cachekey.edits.cleanups import CleanUp, clean_ups, deletions, together
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import add_mount, is_mountable
from cachekey.edits.packages import leaving, set_up, to_keep
from cachekey.edits.toolmount import ToMount, flags_for, owner_here
from cachekey.finding import FileEdit, Finding, Fix, Safety, Severity
from cachekey.knowledge.records import CacheDir, Keeping, Kind
from cachekey.record import remembered
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.shell.edit import remove_word
from cachekey.syntax.shell.tree import Word
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse

_Heir = tuple[Run, list[ToMount]]
"""A RUN that needs what another has filled, and what of it."""


@rule("CK503", "missing-cache-mount", Severity.HINT, Fixable.ALWAYS)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report install commands whose caches no mount of the RUN holds."""
    if run.onbuild:
        return
    if any(surely_idle(run, mount) and candidates(run, mount) for mount in run.caches):
        # There is a mount, at the wrong place: CK301 moves it.
        return
    seen: set[str] = set()
    for use in run.uses:
        if use.via is not None or use.applies is not True or use.tool.id in seen:
            continue
        places, lacks = _places(run, use, ctx), ""
        if not places:
            others = _other_places(run, use, ctx)
            places = [item for item in others if not _lies_elsewhere(item[0], ctx)]
            lacks = _contents(places)
        if not places or (not lacks and _has_one(run, use)):
            continue
        if not lacks and _has_output(run, use):
            fetched = all(_is_fetched(item) for _, item in places)
            lacks = "all that it downloads" if fetched else _contents(places)
        if any(item.fills for _, item in places) and fetches_for_nobody(ctx.document, run, use):
            # Whoever runs the image may want it: a mount would take it out, for no step of this file.
            continue
        if not _mendable(run, use, places, ctx):
            continue
        seen.add(use.tool.id)
        yield ctx.finding(
            use.invocation.head,
            f"{use.tool.name} {_again(places, lacks or _part(use, places))}",
            fixes=partial(_fixes, run, use, places, ctx),
            missing=True,
        )


def _part(use: ToolUse, places: list[ToMount]) -> str:
    """Say what the mounts would hold where the tool fetches more than that; else nothing."""
    held = [path for path, _ in places]
    left = (item for item in use.directories if item.used is True and _is_fetched(item))
    if all(any(meets(item.path or "", path) for path in held) for item in left):
        return ""
    return _contents(places)


def _contents(places: list[ToMount]) -> str:
    """Name what lies in these places; what is fetched is not downloaded yet."""
    return " and ".join(re.sub(r"\Adownloaded (?!and )", "", item.cache.what) for _, item in places)


def _again(places: list[ToMount], lacks: str) -> str:
    """Say what the tool does again, and why."""
    if lacks:
        fetched = [place for place in places if _is_fetched(place[1])]
        made = [place for place in places if not _is_fetched(place[1])]
        doing = f"{'makes' if made else 'fetches'} {lacks}"
        if fetched and made and lacks == _contents(places):
            doing = f"fetches {_contents(fetched)} and makes {_contents(made)}"
        return f"{doing} anew whenever this step is built: no cache mount holds that"
    if any(_is_fetched(item) for _, item in places):
        return "downloads everything anew whenever this step is built: it has no cache mount"
    return f"makes {_contents(places)} anew whenever this step is built: it has no cache mount"


def _is_fetched(item: UsedDirectory) -> bool:
    """Tell whether it comes over the net; what compilers leave may be shared as well, and is made here."""
    return item.cache.kind is Kind.DOWNLOAD and not item.cache.what.startswith("compiled")


def _has_one(run: Run, use: ToolUse) -> bool:
    """Tell whether a mount of the RUN is meant for this tool, wherever the tool may look."""
    if any(mount.directory and linked(run, mount.directory) for mount in run.caches):
        return True
    return any(not _only_builds(one.cache) for one in _purposes(run, use))


def _has_output(run: Run, use: ToolUse) -> bool:
    """Tell whether a mount of the RUN holds what this tool builds, where nothing that it fetches lies."""
    return any(_only_builds(one.cache) for one in _purposes(run, use))


def _only_builds(cache: CacheDir) -> bool:
    return cache.kind is Kind.BUILD and not cache.filled_by


def _purposes(run: Run, use: ToolUse) -> Iterator[Purpose]:
    purposes = (purpose_of(run, mount) for mount in run.caches)
    return (one for one in purposes if one is not None and one.tool is use.tool)


def _places(run: Run, use: ToolUse, ctx: Context) -> list[ToMount]:
    """Return where to mount what; empty when one place is not known or already has a mount."""
    places: list[ToMount] = []
    for one, name in _suggested(run, use):
        role, _, part = name.partition("/")
        item = one.directory(role)
        if item is None:
            # The tool has it in other releases.
            continue
        if item.path is None or not item.confidence.warns:
            return []
        if maybe_covered(run, item):
            return []
        if not (_comes_from_layer(run, one, item) or _must_stay(run, one, item, ctx)):
            places.append((f"{item.path}/{part}" if part else item.path, item))
    return places


def _suggested(run: Run, use: ToolUse) -> Iterator[tuple[ToolUse, str]]:
    """Yield what to mount for a tool, and for those that it surely runs."""
    for one in (use, *(guest for guest in run.uses if guest.via is use)):
        yield from ((one, name) for name in one.suggested if use.suggested)


def _other_places(run: Run, use: ToolUse, ctx: Context) -> list[ToMount]:
    """Return what is left to mount where some of the caches that the tool surely uses surely are."""
    places: list[ToMount] = []
    held = 0
    for one, name in _suggested(run, use):
        role, _, part = name.partition("/")
        item = one.directory(role)
        if item is None or item.path is None or part or not item.confidence.warns:
            return []
        if covering(run, item) is not None:
            held += 1
        elif maybe_covered(run, item):
            return []
        elif item.used is True and item.cache.path and role not in one.rarely_filled:
            if not (_comes_from_layer(run, one, item) or _must_stay(run, one, item, ctx)):
                places.append((item.path, item))
    return places if held else []


def _comes_from_layer(run: Run, use: ToolUse, item: UsedDirectory) -> bool:
    """Tell whether the command finds its directory filled by what ran earlier, seen or unseen."""
    fetched = _fetched_by(run, use.tool.id, item.path)
    if item.cache.filled_only and not fetched:
        return True
    return (item.needs or not fetched) and _lies_in_layer(run, use, item)


def _must_stay(run: Run, use: ToolUse, item: UsedDirectory, ctx: Context) -> bool:
    """Tell whether a later RUN needs what lies there in the layer, and cannot fill it itself.

    A cache may be empty while this step comes from the layers of an earlier build: then the later one fails.
    """
    return item.cache.filled_only and any(True for _ in _behind(run, use, item, ctx))


def _lies_in_layer(run: Run, use: ToolUse, item: UsedDirectory) -> bool:
    """Tell whether an earlier RUN of the image has filled the directory, and no mount took it."""
    for earlier in run.earlier():
        for other in earlier.uses:
            same = other.directory(item.role) if other.tool is use.tool else None
            if same is None or same.path != item.path or same.used is not True:
                continue
            if same.fills or (same.needs and item.needs):
                return covering(earlier, same) is None
    return False


def _fetched_by(run: Run, tool: str, path: str | None) -> bool:
    """Tell whether a command of the RUN fills a tool's directory ahead of others: they find it there."""
    return any(
        item.fills and item.path == path
        for use in run.uses
        if use.tool.id == tool
        for item in use.directories
    )


def _lies_elsewhere(path: str, ctx: Context) -> bool:
    """Tell whether the file has a cache for a place that a new mount there would split."""
    return any(
        mount.directory and inside(path, mount.directory) and (mount.id or mount.directory != path)
        for _, mount in ctx.document.caches
    )


def _mendable(run: Run, use: ToolUse, places: list[ToMount], ctx: Context) -> bool:
    """Tell whether the fix can be made: without it this hint would only be in the way."""
    owner = owner_here(run)
    if owner is None or None in _switches(run, use, places):
        return False
    if use.tool.root_only and owner:
        # It stops before it fetches anything; a cache of that user's would be wrong once root runs it.
        return False
    found = _clean_ups(run, places)
    if any(one.wide for one in found):
        # It must go where a mount lies in its way, and then the image keeps what it was to remove.
        return False
    return not found or together(found, deletions(found, ctx.document.source))


def _left(run: Run, use: ToolUse, places: list[ToMount], ctx: Context) -> list[ToMount]:
    """Return where other tools would leave in the image what a clean-up that has to go removes today."""
    gone = [one.span for one in _clean_ups(run, places)]
    found: dict[str, ToMount] = {}
    for other in run.uses if gone else ():
        if other.tool is use.tool or other.via is not None or other.applies is not True:
            continue
        for place in _places(run, other, ctx) if not other.disabled else ():
            if any(one.span in gone for one in _clean_ups(run, [place])):
                found[place[0]] = place
    return [place for path, place in found.items() if path not in [path for path, _ in places]]


def _switches(run: Run, use: ToolUse, places: list[ToMount]) -> list[Word | None]:
    """Return the words that switch these caches off; None stands for what is no word of the RUN."""
    roles = {item.cache.role for _, item in places}
    return [
        next((word for word in one.invocation.args if word.span == off.span), None)
        for one in run.uses
        if one.tool is use.tool
        for off in one.disabled
        if roles & set(off.roles)
    ]


def _clean_ups(run: Run, places: list[ToMount]) -> list[CleanUp]:
    """Return what would empty the new mounts."""
    return list(clean_ups(run, [path for path, _ in places]))


def _heirs(
    run: Run, use: ToolUse, places: list[ToMount], keeping: Keeping | None, ctx: Context
) -> list[_Heir]:
    """Return the later RUNs that need what this one has filled: a mount here takes it from the layer.

    With ``keeping`` also those that would leave their packages in the image from now on.
    """
    found: dict[int, _Heir] = {}
    heirs = [heir for _, item in places for heir in _behind(run, use, item, ctx)]
    if keeping is not None:
        heirs += leaving(run, use.tool, keeping, ctx.document)
    for later, needed in heirs:
        theirs = found.setdefault(later.span.start, (later, []))[1]
        if needed[0] not in [path for path, _ in theirs]:
            theirs.append(needed)
    return [found[start] for start in sorted(found)]


def _behind(
    run: Run, use: ToolUse, item: UsedDirectory, ctx: Context
) -> Iterator[tuple[Run, ToMount]]:
    """Yield the later RUNs that find in the layer what this one has left in a directory."""
    stage = ctx.document.stage_of(run)
    fills = item.fills or _fetched_by(run, use.tool.id, item.path)
    for later, needed in _needs(ctx.document).get((use.tool.id, item.path), {}).values():
        leaves = fills or (item.needs and needed[1].needs)
        if leaves and later.span.start > run.span.start:
            if ctx.document.stage_of(later).descends_from(stage):
                yield later, needed


@remembered
def _needs(
    document: Dockerfile,
) -> dict[tuple[str, str | None], dict[int, tuple[Run, ToMount]]]:
    """Return the RUNs that need a tool's directory without a mount, by the tool and the path."""
    found: dict[tuple[str, str | None], dict[int, tuple[Run, ToMount]]] = {}
    for run in document.runs:
        for use in run.uses if not run.onbuild else ():
            for item in use.directories if use.via is None else ():
                # Who fetches it as well is told so at its own place.
                needs = item.used is True and not _fetched_by(run, use.tool.id, item.path)
                if needs and item.path is not None and not maybe_covered(run, item):
                    needing = found.setdefault((use.tool.id, item.path), {})
                    needing[run.span.start] = (run, (item.path, item))
    return found


def _fixes(run: Run, use: ToolUse, places: list[ToMount], ctx: Context) -> Iterator[Fix]:
    if not all(is_mountable(path) for path, _ in places):
        return
    places = [*places, *_left(run, use, places, ctx)]
    *paths, last = (path for path, _ in places)
    where = f"{', '.join(paths)} and {last}" if paths else last
    what = "a cache mount" if len(places) == 1 else "cache mounts"
    keeping = to_keep(run, use, places, ctx.document)
    heirs = _heirs(run, use, places, keeping, ctx)
    line_of = ctx.document.source.line_of
    lines = [line_of(later.span.start) + 1 for later, _ in heirs]
    told = [f"let {use.tool.name} keep its packages"] if keeping is not None else []
    also = [*told, *_deleted(run, use, places)]
    yield ctx.fix(
        f"Add {what} for {where}"
        + (f", to {lines_text(lines)} as well" if lines else "")
        + (f", {also[0]}" if len(also) > 1 else "")
        + (f", and {also[-1]}" if also else ""),
        partial(_edits, run, use, places, heirs, keeping, ctx),
        safety=Safety.UNSAFE,
        preferred=True,
        reason="the image no longer holds what the tool leaves in its cache",
    )


def _deleted(run: Run, use: ToolUse, places: list[ToMount]) -> list[str]:
    """Say what the fix deletes: what switches the caches off, and what would empty them."""
    gone = list(dict.fromkeys(word.written for word in _switches(run, use, places) if word))
    count = len(_clean_ups(run, places))
    if count:
        gone.append("the clean-up" if count == 1 else f"{count} clean-ups")
    return [f"delete {' and '.join(gone)}"] if gone else []


def _edits(
    run: Run,
    use: ToolUse,
    places: list[ToMount],
    heirs: list[_Heir],
    keeping: Keeping | None,
    ctx: Context,
) -> tuple[FileEdit, ...]:
    source = ctx.document.source
    switches = _switches(run, use, places)
    changes = [
        *([set_up(ctx.document, run, keeping)] if keeping is not None else []),
        add_mount(ctx.document, run, *flags_for(run, places, ctx.document)),
        *(
            add_mount(ctx.document, later, *flags_for(later, theirs, ctx.document))
            for later, theirs in heirs
        ),
        *(remove_word(word, source) for word in switches if word is not None),
        *deletions(_clean_ups(run, places), source),
    ]
    return merge_edits(in_file(ctx.path, (edit for edit in changes if edit is not None)))
