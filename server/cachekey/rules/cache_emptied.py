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
Delete exactly those commands, or those words of an `rm` that removes other things too.

Some commands empty a directory before they fill it: `npm ci` deletes all of `node_modules`, so that a
mount there never saves anything, and a mount below it is in the way and ends the build (`EBUSY`).
There, mount the downloads; that is not applied unasked, since the layer then holds what is installed.

Silent for clean-ups of what no mount of the RUN covers, for single files, and where the command
runs only after a failure or in a branch that does not fill the cache: that is repair, not clean-up.

## Source
Each tool's own manual, named in its file below `knowledge/tools`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise

from cachekey.buildkit.mounts import Mount
from cachekey.commands.effect import Effect, covers, inside
from cachekey.commands.invocation import Invocation, removals
from cachekey.dockerfile.coverage import COVERS, covering, emptied_first
from cachekey.dockerfile.records import Run
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import remove_mount
from cachekey.edits.toolmount import retarget
from cachekey.finding import TOO, Finding, Fix, Safety, Severity
from cachekey.record import record
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.shell.edit import remove_word
from cachekey.syntax.shell.parse import Word
from cachekey.text import Edit, Span
from cachekey.tools.uses import ToolUse, UsedDirectory


@record(frozen=True)
class _CleanUp:
    """A command, or some words of it, that empty a mount."""

    item: Invocation
    mount: Mount
    words: tuple[Word, ...] = ()
    """Those that empty it, where the command does other things as well."""

    @property
    def span(self) -> Span:
        return self.words[0].span if self.words else self.item.span


@rule("CK305", "cache-emptied", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report what empties a cache mount of its own RUN: once, with all that must go."""
    if run.onbuild or not run.caches:
        return
    found = sorted(_clean_ups(run), key=lambda one: one.span.start)
    if found:
        yield _finding(found, ctx)
    for mount in run.caches:
        yield from _emptied_first(run, mount, ctx)


def _clean_ups(run: Run) -> Iterator[_CleanUp]:
    for use in run.uses:
        for emptied in use.empties:
            if emptied.emptying.first or not emptied.confidence.warns:
                continue
            mount = _holding(run, use.directories, emptied.roles)
            if mount is not None and _cleans(run, use.invocation, mount):
                yield _CleanUp(use.invocation, mount)
                break
    by_item: dict[int, list[tuple[Effect, Mount]]] = {}
    for item, effect in run.effects.of("removes"):
        mount = _emptied(run, effect)
        if mount is not None and _cleans(run, item, mount):
            by_item.setdefault(id(item), []).append((effect, mount))
    for item in run.commands.items:
        hits = by_item.get(id(item))
        if hits:
            yield _removed(run, item, hits)


def _removed(run: Run, item: Invocation, hits: list[tuple[Effect, Mount]]) -> _CleanUp:
    """Take the words that empty something, unless all that the command removes is that."""
    words = tuple(effect.word for effect, _ in hits if effect.word is not None)
    removed = [one for other, one in run.effects.of("removes") if other is item]
    whole = len(hits) == len(removed) or not words
    return _CleanUp(item, hits[0][1], () if whole else words)


def _holding(
    run: Run, directories: Iterable[UsedDirectory], roles: tuple[str, ...]
) -> Mount | None:
    for directory in directories:
        if directory.cache.role in roles and directory.confidence.warns:
            for mount in run.caches:
                if mount.directory and directory.relation(mount.directory) in COVERS:
                    return mount
    return None


def _cleans(run: Run, item: Invocation, mount: Mount) -> bool:
    """Tell whether the command runs whenever the cache has been filled: always, or in the same branch."""
    if not item.conditional:
        return True
    if item.simple.guarded or item.frame.conditional:
        return False
    block = item.simple.block
    for use in run.uses:
        if use.invocation is item:
            break
        around = use.invocation.simple.block.outward
        if use.uses is True and any(one is block for one in around):
            if any(_fills(directory, mount) for directory in use.directories):
                return True
    return False


def _fills(directory: UsedDirectory, mount: Mount) -> bool:
    used = directory.used is True and mount.directory is not None
    return used and directory.relation(mount.directory or "") in COVERS


def _emptied(run: Run, effect: Effect) -> Mount | None:
    """Return the cache mount whose content a removal takes away for the most part."""
    for mount in run.caches:
        folder = mount.directory
        if folder is not None and (covers(effect, folder) or _takes_piece(run, effect, folder)):
            return mount
    return None


def _takes_piece(run: Run, effect: Effect, folder: str) -> bool:
    """Tell whether a tool's directory below the mount goes, or the part of it that counts."""
    path = (effect.path or "").removesuffix("/*")
    if effect.path is None or not inside(path, folder):
        return False
    places = (item for use in run.uses for item in use.directories if item.confidence.warns)
    pieces = (item.path for item in places if item.path is not None)
    if any(inside(piece, folder) and covers(effect, piece) for piece in pieces):
        return True
    if not covers(effect, path):
        return False
    claimed = [claim.cache.parts for claim in run.knowledge.claims(path)]
    return any(not parts or any(path.endswith(f"/{x}") for x in parts) for parts in claimed)


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
            ],
            fixes=partial(_downloads, run, mount, use, item, ctx) if folder == path else (),
            severity=None if folder == path else Severity.ERROR,
        )
        return


def _downloads(
    run: Run, mount: Mount, use: ToolUse, item: UsedDirectory, ctx: Context
) -> Iterator[Fix]:
    better = use.directory(item.cache.instead) if item.cache.instead else None
    if better is None or better.path is None:
        return
    if covering(run, better) is not None:
        title, edits = "Delete this mount", [remove_mount(ctx.document, mount)]
    else:
        title, edits = f"Mount {better.path} instead", retarget(run, mount, better.path) or []
    if edits:
        reason = "the installed files become part of the layer"
        yield ctx.fix(title, *edits, safety=Safety.UNSAFE, preferred=True, reason=reason)


# -- fixes ------------------------------------------------------------------------------------


def _edits(found: Iterable[_CleanUp], ctx: Context) -> list[Edit | None]:
    source, whole = ctx.document.source, [one.item for one in found if not one.words]
    words = [word for one in found for word in one.words]
    return [*(remove_word(word, source) for word in words), *removals(whole, source)]


def _together(found: list[_CleanUp], edits: list[Edit | None]) -> bool:
    """Tell whether one fix can mend all: each can go, none touches another, something is left."""
    spans = sorted(edit.span for edit in edits if edit is not None)
    apart = all(one.end <= other.start for one, other in pairwise(spans))
    blocks = {id(one.item.simple.block): one.item.simple.block for one in found}
    doomed = [id(one.item.simple.block) for one in found if not one.words]
    left = all(len(block.items) > doomed.count(key) for key, block in blocks.items())
    return len(spans) == len(edits) and (len(found) == 1 or (apart and left))


def _finding(found: list[_CleanUp], ctx: Context) -> Finding:
    first, *more = found
    related = [ctx.related(first.mount.span, "The cache that is emptied")]
    related += [ctx.related(one.span, TOO) for one in more if one.span != first.span]
    related += [place for one in found for place in ctx.script_line(one.item)]
    return ctx.finding(
        first.span,
        f"This empties the cache on {first.mount.directory}, which is no part of the image anyway: "
        "the next build starts without it",
        related=related,
        fixes=partial(_fixes, found, ctx),
    )


def _fixes(found: list[_CleanUp], ctx: Context) -> Iterator[Fix]:
    """Offer to delete all that empties a cache; a part of it would leave the cache as empty."""
    edits = _edits(found, ctx)
    if _together(found, edits):
        known = [edit for edit in edits if edit is not None]
        yield ctx.fix(_title(found, ctx), *known, preferred=True)


def _title(found: list[_CleanUp], ctx: Context) -> str:
    if len(found) > 1:
        lines = (ctx.document.source.line_of(one.span.start) + 1 for one in found)
        return f"Delete {len(found)} clean-ups: {lines_text(lines)}"
    words = [word.written for word in found[0].words]
    return f"Do not remove {' and '.join(words)}" if words else "Delete this clean-up"
