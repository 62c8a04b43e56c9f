"""What the image needs at run time lies in a cache mount.

Installed packages, environments and browsers below a cache mount are there for this RUN alone.
The image has an empty directory in their place. Where a tool installs nothing but links into its cache
(`UV_LINK_MODE=symlink`), or a RUN links to what it has put there (`ln -s`), the image has links that
lead nowhere.

## Bad
```dockerfile
FROM node:22
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/app/node_modules npm ci
CMD ["node", "server.js"]
```

## Good
```dockerfile
FROM node:22
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
CMD ["node", "server.js"]
```

## Fix
Mount the tool's download cache instead. That changes what is in the image, as it should, and is
therefore not applied unasked.

Silent where the RUN takes the result elsewhere, where it goes on to work with a compiler that it has
installed, and in stages of which nothing but other paths is used. Silent about a link to what the RUN itself does not write, and where a VOLUME may bring it.

## Source
Each tool's own manual, named in its file below `knowledge/tools`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.coverage import covering, maybe_covered
from cachekey.dockerfile.lost import (
    installs_into,
    is_built,
    is_needed,
    is_put,
    is_replaced,
    mount_over,
)
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.cleanups import clean_ups
from cachekey.edits.toolmount import places, retarget, spread
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.knowledge.records import Kind
from cachekey.rules.rule import Context, Fixable, capital, rule
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse


@rule("CK403", "install-output-as-cache", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report cache mounts that hold the result of an installation which the image needs."""
    dockerfile: Dockerfile = ctx.document
    if run.onbuild or not run.commands.complete:
        return
    yield from _links(run, ctx)
    yield from _linked_by_hand(run, ctx)
    for mount in run.caches:
        found = installs_into(run, mount)
        if found is None or run.effects.takes_out(mount.directory or "/") is not False:
            continue
        stage = dockerfile.stage_of(run)
        if not is_needed(dockerfile, stage, [mount.directory or "/"]):
            continue
        use, item = found
        if _has_served(run, use, item):
            continue
        yield ctx.finding(
            mount.target_span,
            f"The image needs {_named(use, item)}, and what lies in a cache mount "
            "is never part of it",
            fixes=partial(_fixes, run, mount, use, item, ctx),
        )


def _has_served(run: Run, use: ToolUse, item: UsedDirectory) -> bool:
    """Tell whether the RUN itself may be all that needs what it installs: a compiler that it goes on to call."""
    items = run.commands.items
    behind = items[items.index(use.invocation) + 1 :] if item.cache.means else ()
    return any(
        one.program != use.invocation.program and not run.knowledge.harmless(one.program or "?")
        for one in behind
    )


def _named(use: ToolUse, item: UsedDirectory) -> str:
    what, tool = item.cache.what, use.tool.name
    return what if tool in what else f"{what} of {tool}"


def _links(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report installations that are links into a cache mount."""
    for use in run.uses:
        for item in use.directories:
            mount = covering(run, item) if item.linked and item.path is not None else None
            if mount is None or mount.readonly or not item.confidence.warns:
                continue
            if run.effects.takes_out(mount.directory or "/") is not False:
                continue
            results = [
                one.path
                for one in use.directories
                if one.cache.kind is Kind.RESULT and one.used is not False and one.path is not None
            ]
            if is_needed(ctx.document, ctx.document.stage_of(run), results):
                yield ctx.finding(
                    use.invocation.head,
                    f"{capital(item.linked)} of {use.tool.name} are links into the cache on {mount.directory}, "
                    "and no cache is part of the image: there they lead nowhere",
                    related=[ctx.related(mount.span, "The cache that the links lead to")],
                )


def _linked_by_hand(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report links that a RUN makes to what it has written into a cache mount."""
    dockerfile: Dockerfile = ctx.document
    stage = dockerfile.stage_of(run)
    if dockerfile.declares_volumes:
        return
    for item, effect in run.effects.of("links"):
        path, to, word = effect.path, effect.to, effect.word
        if path is None or to is None or word is None or item.conditional:
            continue
        mount = mount_over(run, path)
        if (
            mount is None
            or mount_over(run, to) is not None
            or not (is_put(run, path) or is_built(run, path))
        ):
            continue
        if not is_replaced(stage, run, to) and is_needed(dockerfile, stage, [to]):
            yield ctx.finding(
                word.span if item.script is None else item.head,
                f"This links to what lies in the cache on {mount.directory}, and no cache is part of the "
                "image: there the link leads nowhere",
                related=[
                    ctx.related(mount.span, "The cache that the link leads to"),
                    *ctx.script_line(item),
                ],
                cause=mount.span,
            )


def _fixes(
    run: Run, mount: Mount, use: ToolUse, item: UsedDirectory, ctx: Context
) -> Iterator[Fix]:
    better = use.directory(item.cache.instead) if item.cache.instead else None
    if better is None or better.path is None:
        return
    first, *more = places(use, better)
    if first == mount.directory:
        # The results lie among the downloads: the mount is right, their place is not.
        return
    if maybe_covered(run, better) and mount.directory != better.path:
        return
    edits = retarget(run, mount, first)
    if edits and not any(clean_ups(run, [first, *more])):
        if len(edits) > 1 or mount.id:
            more = []
        copies = [spread(ctx.document, mount, more)] if more else []
        yield ctx.fix(
            f"Mount {use.tool.name}'s downloads instead: {' and '.join([first, *more])}",
            *edits,
            *copies,
            safety=Safety.UNSAFE,
            preferred=True,
            reason="the installed files become part of the image",
        )
