"""Build output of one project lies in a cache that every project of the builder shares.

The same holds for packages that are installed into the project's folder, as `node_modules` is.
Without an `id`, `/app/target` is the same cache for all who build in `/app`. Build tools trust
what they find there by its age: another project's, or another branch's, output can end up in the
image.

## Bad
```dockerfile
FROM rust:1.90
WORKDIR /app
RUN --mount=type=cache,target=/app/target cargo build && cp target/debug/app /bin/
```

## Good
```dockerfile
FROM rust:1.90
WORKDIR /app
RUN --mount=type=cache,id=project-target,target=/app/target cargo build && cp target/debug/app /bin/
```

## Fix
An `id` that names the project.

Silent for an `id` that is not a mere common word, for a path that names the project, for
`sharing=private`, for download caches, which are meant to be shared, and where the tool names each entry by
all that it was made of (Turborepo).

## Source
BuildKit `dockerfile2llb/convert_runmount.go` (default id); Cargo's fingerprints go by
modification time.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Hashable, Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.commands.effect import inside
from cachekey.dockerfile.coverage import surely_idle
from cachekey.dockerfile.lost import is_needed
from cachekey.dockerfile.purpose import Purpose, purpose_of
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.caches import reach_of, rename, wish_for
from cachekey.finding import TOO, Finding, Fix, Severity, Wish
from cachekey.knowledge import Claim
from cachekey.knowledge.records import CacheDir, Kind
from cachekey.rules.rule import Context, Fixable, rule

# Folders that say nothing about the project in them, and words that everybody uses for an id.
_COMMON = frozenset(
    (
        *("app", "apps", "application", "src", "source", "sources", "code", "work", "workdir"),
        *("workspace", "workspaces", "build", "builder", "repo", "usr", "opt", "home"),
        *("root", "tmp", "var", "mnt", "srv", "data", "user", "go", "rust", "node", "target"),
        *("dist", "out", "output", "cache", "web", "frontend", "backend", "server", "client"),
        "vendor",
    )
)
_WORD = re.compile(r"[A-Za-z0-9]+")


@rule("CK104", "shared-build-output", Severity.WARNING, Fixable.ALWAYS)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report build output below a key that does not name the project.

    All mounts of one key are one slip, whichever tools they serve: the first of them speaks.
    """
    slips: dict[Hashable, tuple[Mount, Claim, bool, list[Mount]]] = {}
    for run, mount in dockerfile.caches:
        found = _found(run, mount, ctx)
        if found is None or mount.key is None:
            continue
        claim, surely = found
        slip = slips.setdefault(mount.key.identity, (mount, claim, surely and not mount.id, []))
        slip[3].append(mount)
    for mount, claim, surely, mounts in slips.values():
        option = mount.options["id" if mount.id else "target"]
        label = mount.key.label if mount.key is not None else ""
        yield ctx.finding(
            option.span,
            f"{claim.tool.name} keeps {claim.cache.what} here, and every project on this builder that "
            f"has the key {label} would share it",
            related=[ctx.related(other.target_span, TOO) for other in mounts[1:]],
            fixes=partial(_fixes, mount, wish_for(mount, ctx.path), ctx),
            severity=None if surely else Severity.INFORMATION,
        )


def _found(run: Run, mount: Mount, ctx: Context) -> tuple[Claim, bool] | None:
    """Return what of one project lies in a mount whose key names none, and whether that is sure."""
    if run.onbuild or mount.sharing == "private" or mount.key is None or mount.key.unresolved:
        return None
    if mount.directory is None or (mount.id and not _is_generic(mount)):
        return None
    purpose = purpose_of(run, mount)
    if purpose is not None:
        claim = Claim(purpose.tool, purpose.cache)
        if not _is_one_projects(run, mount, purpose, ctx):
            return None
    elif (beside := _beside(run, mount)) is not None:
        claim = beside
    else:
        return None
    if surely_idle(run, mount):
        # Nothing of the build lies there: that is the matter of CK301.
        return None
    absolute = mount.target.text.startswith("/")
    if not mount.id and (not absolute or _names_project(mount, claim.cache)):
        # A relative target is the matter of CK107.
        return None
    if mount.id and mount.id in ctx.project.names_for(wish_for(mount, ctx.path)):
        return None
    return claim, purpose is not None


def _beside(run: Run, mount: Mount) -> Claim | None:
    """Return the build output that a mount looks like, of a tool whose other caches lie beside it.

    What starts the tool cannot be seen: a script of a package, a Makefile.
    """
    company = {
        claims[0].tool.id
        for other in run.caches
        if other is not mount and other.directory
        if (claims := run.knowledge.claims(other.directory))
    }
    looks = run.knowledge.claims(mount.directory or "/")
    return next(
        (one for one in looks if one.tool.id in company and _is_own_output(one.cache)), None
    )


def _fixes(mount: Mount, wish: Wish, ctx: Context) -> Iterator[Fix]:
    reach = reach_of(mount, folder=posixpath.dirname(ctx.path))
    yield ctx.naming(
        "Name it after this project: add id={id} to {places}",
        wish,
        partial(rename, ctx.project, reach),
        reach,
        apart=True,
    )


def _is_one_projects(run: Run, mount: Mount, purpose: Purpose, ctx: Context) -> bool:
    """Tell whether the contents are those of one project: what it builds, or what it installs.

    What the image misses is the matter of CK403.
    """
    folder = mount.directory or "/"
    here = purpose.use.invocation.cwd
    inside_project = here not in (None, "/", "/root") and inside(folder, here or "/")
    if purpose.cache.kind is not Kind.RESULT or not (purpose.cache.relative or inside_project):
        return _is_own_output(purpose.cache)
    installs = any(item.cache is purpose.cache and item.used for item in purpose.use.directories)
    missed = run.effects.takes_out(folder) is False and is_needed(
        ctx.document, ctx.document.stage_of(run), [folder]
    )
    return installs and run.commands.complete and not missed


def _is_own_output(cache: CacheDir) -> bool:
    """Tell whether a tool builds there what another project must not find."""
    return cache.kind is Kind.BUILD and "project" in cache.varies_by


def _is_generic(mount: Mount) -> bool:
    """Tell whether an id is made of nothing but common words."""
    option = mount.options["id"]
    if option.value.used:
        return False
    words = _WORD.findall(mount.id.lower())
    return bool(words) and all(word in _COMMON for word in words)


def _names_project(mount: Mount, cache: CacheDir) -> bool:
    folder = mount.directory or "/"
    tail = cache.path.strip("/")
    for part in (tail, *(f"{tail}/{one}" for one in cache.parts), posixpath.basename(folder)):
        if part and folder.endswith(f"/{part}"):
            folder = folder[: -len(part) - 1]
            break
    return any(part.lower() not in _COMMON for part in folder.split("/") if part)
