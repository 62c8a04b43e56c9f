"""Commands of a RUN that empty a directory which is, or is to be, a cache mount; and how they go."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from cachekey.commands.effect import Effect, covers, inside
from cachekey.commands.invocation import Invocation, removals
from cachekey.dockerfile.coverage import COVERS
from cachekey.dockerfile.installed import installed_into
from cachekey.dockerfile.records import Run
from cachekey.knowledge import Claim
from cachekey.knowledge.records import Kind
from cachekey.record import record
from cachekey.syntax.shell.edit import remove_word
from cachekey.syntax.shell.tree import Word
from cachekey.text import Edit, Source, Span
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse

_CACHES = ("cache", ".cache")
"""Names of folders in which many programs have their caches, and nothing else."""


@record(frozen=True)
class CleanUp:
    """A command, or some words of it, that empty a mounted directory."""

    item: Invocation
    folder: str
    """The directory of the mount."""
    words: tuple[Word, ...] = ()
    """Those that empty it, where the command does other things as well."""
    open: bool = False
    """Nobody knows which generation of the tool it is: it empties the mount, or never comes there."""
    wide: bool = False
    """It removes more than caches: a folder around them that is nobody's cache (``/tmp/*``)."""

    @property
    def span(self) -> Span:
        """Return what is to go."""
        return self.words[0].span if self.words else self.item.span


def clean_ups(run: Run, folders: Sequence[str]) -> Iterator[CleanUp]:
    """Yield what empties one of these directories after the RUN has filled it."""
    seen: set[int] = set()
    for use in run.uses:
        for emptied in use.empties if id(use.invocation) not in seen else ():
            if emptied.emptying.first or not emptied.confidence.warns:
                continue
            folder = _holding(folders, use.directories, emptied.roles)
            meant = None if folder is not None else _meant(run, use, emptied.roles, folders)
            if (place := folder or meant) and _cleans(run, use.invocation, place):
                seen.add(id(use.invocation))
                yield CleanUp(use.invocation, place, open=meant is not None)
                break
    by_item: dict[int, list[tuple[Effect, str]]] = {}
    for item, effect in run.effects.of("removes"):
        found = (path for path in folders if _empties(run, effect, path))
        folder = next(found, None)
        if folder is not None and _cleans(run, item, folder):
            by_item.setdefault(id(item), []).append((effect, folder))
    for item in run.commands.items:
        hits = by_item.get(id(item))
        if hits:
            yield _removed(run, item, hits)


def _removed(run: Run, item: Invocation, hits: list[tuple[Effect, str]]) -> CleanUp:
    """Take the words that empty something, unless all that the command removes is that."""
    words = tuple(effect.word for effect, _ in hits if effect.word is not None)
    removed = [one for other, one in run.effects.of("removes") if other is item]
    whole = len(hits) == len(removed) or not words
    wide = any(_is_wide(run, effect, folder) for effect, folder in hits)
    return CleanUp(item, hits[0][1], () if whole else words, wide=wide)


def _is_wide(run: Run, effect: Effect, folder: str) -> bool:
    """Tell whether a removal takes a folder around the mount that is no cache itself."""
    path = posixpath.normpath((effect.path or "").removesuffix("/*") or "/")
    if inside(path, folder) or len(path.split("/")) >= len(folder.split("/")):
        return False
    if posixpath.basename(path) in _CACHES:
        return False
    if any(installed_into(one, path) is not None for one in (run, *run.earlier())):
        # The program itself lies there (`rm -rf ~/.bun` behind its installer).
        return True
    return not any(
        claim.cache.kind is Kind.DOWNLOAD and not claim.tool.hides
        for claim in run.knowledge.claims(path)
    )


def _holding(
    folders: Iterable[str], directories: Iterable[UsedDirectory], roles: tuple[str, ...]
) -> str | None:
    for directory in directories:
        if directory.cache.role in roles and directory.confidence.warns:
            for folder in folders:
                if directory.relation(folder) in COVERS:
                    return folder
    return None


def _meant(run: Run, use: ToolUse, roles: tuple[str, ...], folders: Iterable[str]) -> str | None:
    """Return the mount on a place that one generation of the tool has, where nobody knows which it is.

    It empties that mount, or never comes there.
    """
    for folder in folders:
        for claim in run.knowledge.claims(folder):
            if claim.tool is use.tool and claim.cache.role in roles and claim.cache.path == folder:
                item = use.directory(claim.cache.role)
                if item is not None and item.generations and item.confidence.warns:
                    return folder
    return None


def _cleans(run: Run, item: Invocation, folder: str) -> bool:
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
        along = use.invocation.frame.past is item.frame.past
        if use.uses is True and along and any(one is block for one in around):
            if any(_fills(directory, folder) for directory in use.directories):
                return True
    return False


def _fills(directory: UsedDirectory, folder: str) -> bool:
    return directory.used is True and directory.relation(folder) in COVERS


def _empties(run: Run, effect: Effect, folder: str) -> bool:
    """Tell whether a removal takes away a directory's content for the most part."""
    return covers(effect, folder) or _takes_piece(run, effect, folder)


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
    claimed = [claim.cache.parts for claim in _claims(run, path)]
    return any(not parts or any(path.endswith(f"/{x}") for x in parts) for parts in claimed)


def _claims(run: Run, path: str) -> list[Claim]:
    """Return whose directory a path looks like: where tools of the RUN are among them, only theirs.

    One that surely has that directory elsewhere here does not claim it.
    """
    claims = run.knowledge.claims(path)
    tools = {use.tool.id for use in run.uses}
    here = [claim for claim in claims if claim.tool.id in tools]
    return [one for one in here if _may_have(run, one, path)] if here else list(claims)


def _may_have(run: Run, claim: Claim, path: str) -> bool:
    uses = (use for use in run.uses if use.tool is claim.tool)
    directories = (item for use in uses for item in use.directories if item.cache is claim.cache)
    return any(item.relation(path) != "none" for item in directories)


# -- how they go ----------------------------------------------------------------------------------


def deletions(found: Iterable[CleanUp], source: Source) -> list[Edit | None]:
    """Return the edits that take clean-ups away; None stands for one that cannot be made."""
    ordered = sorted(found, key=lambda one: one.span.start)
    words = (word for one in ordered for word in one.words)
    whole = (one.item for one in ordered if not one.words)
    return [*(remove_word(word, source) for word in words), *removals(whole, source)]


def together(found: Sequence[CleanUp], edits: Sequence[Edit | None]) -> bool:
    """Tell whether all can go at once: each can go, none touches another, something is left."""
    spans = sorted(edit.span for edit in edits if edit is not None)
    apart = all(one.end <= other.start for one, other in pairwise(spans))
    blocks = {id(one.item.simple.block): one.item.simple.block for one in found}
    doomed = [id(one.item.simple.block) for one in found if not one.words]
    left = all(len(block.items) > doomed.count(key) for key, block in blocks.items())
    return len(spans) == len(edits) and (len(found) == 1 or (apart and left))
