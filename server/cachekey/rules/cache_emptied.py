r"""A clean-up in the RUN empties the cache that this RUN mounts.

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
Delete exactly that command, or that word of an `rm` that removes other things too.

Silent for clean-ups of what no mount of the RUN covers, for single files, and where the command
runs only after a failure: that is repair, not clean-up.

## Source
Each tool's own manual, named in its file below `knowledge/tools`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.commands.read import Invocation
from cachekey.dockerfile.coverage import COVERS
from cachekey.dockerfile.records import Run
from cachekey.finding import Finding, Fix, Severity
from cachekey.knowledge.paths import relation
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.shell.edit import remove_word
from cachekey.syntax.shell.parse import Word
from cachekey.text import Edit, Span
from cachekey.tools.uses import UsedDirectory


@rule("CK305", "cache-emptied", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report commands that empty a cache mount of their own RUN."""
    if run.onbuild or not run.caches:
        return
    for use in run.uses:
        if use.invocation.conditional:
            continue
        for emptied in use.empties:
            if not emptied.confidence.warns:
                continue
            mount = _holding(run, use.directories, emptied.roles)
            if mount is not None:
                yield _finding(use.invocation.span, mount, partial(_cut, use.invocation, ctx), ctx)
                break
    for item in run.commands.items:
        if item.program == "rm" and not item.conditional:
            yield from _removed(run, item, ctx)


def _holding(
    run: Run, directories: Iterable[UsedDirectory], roles: tuple[str, ...]
) -> Mount | None:
    for directory in directories:
        if directory.cache.role in roles:
            for mount in run.caches:
                if mount.directory and directory.relation(mount.directory) in COVERS:
                    return mount
    return None


def _cut(item: Invocation, ctx: Context) -> Iterator[Fix]:
    edit = item.removal(ctx.document.source)
    if edit is not None:
        yield ctx.fix("Delete this clean-up", edit, preferred=True)


def _finding(span: Span, mount: Mount, fixes: Callable[[], Iterable[Fix]], ctx: Context) -> Finding:
    return ctx.finding(
        span,
        f"this empties the cache on {mount.directory}, and nothing of a cache mount is ever in the image",
        related=[ctx.related(mount.span, "the cache")],
        fixes=fixes,
    )


def _removed(run: Run, item: Invocation, ctx: Context) -> Iterator[Finding]:
    """Report the words of an ``rm -r`` that name a mounted directory, what holds it, or its content."""
    texts = [item.resolve(word, globs=True) for word in item.args]
    flags = [text for text in texts if text and text.startswith("-") and text != "--"]
    if not any("r" in text.lower().lstrip("-") or text == "--recursive" for text in flags):
        return
    paths = [
        (word, text)
        for word, text in zip(item.args, texts, strict=True)
        if text is None or not text.startswith("-")
    ]
    hits = [(word, mount) for word, text in paths if text and (mount := _hit(run, item, text))]
    for word, mount in hits:
        if len(hits) == len(paths):
            yield _finding(item.span, mount, partial(_cut, item, ctx), ctx)
            return
        yield _finding(word.span, mount, partial(_cut_word, word, ctx), ctx)


def _cut_word(word: Word, ctx: Context) -> Iterator[Fix]:
    def edits() -> list[Edit]:
        return [remove_word(word, ctx.document.source)]

    yield ctx.fix(f"Do not remove {word.written}", edits, preferred=True)


def _hit(run: Run, item: Invocation, text: str) -> Mount | None:
    """Return the cache mount whose content an ``rm -r`` of ``text`` takes away for the most part."""
    path = text.removesuffix("/*").removesuffix("/.") or "/"
    if any(char in path for char in "*?["):
        return None
    if not path.startswith("/"):
        if item.cwd is None:
            return None
        path = posixpath.join(item.cwd, path)
    path = "/" + posixpath.normpath(path).lstrip("/")
    for mount in run.caches:
        if mount.directory is None:
            continue
        if relation(path, mount.directory) in ("exact", "parent"):
            return mount
        if relation(path, mount.directory) == "part" and _is_piece(run, mount, path):
            return mount
    return None


def _is_piece(run: Run, mount: Mount, path: str) -> bool:
    """Tell whether ``path`` is a tool's directory, or the part of it that counts, below the mount."""
    for claim in run.knowledge.claims(path):
        usual = claim.cache
        if any(path.endswith(f"/{part}") for part in (*usual.parts,)) or not usual.parts:
            return True
    return any(
        item.path is not None and relation(path, item.path) in ("exact", "parent")
        for use in run.uses
        for item in use.directories
    )
