"""What stands above a line or behind a mount: who shares a cache, what has none, which id is implied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cachekey.assist.hover_mount import right_to_write
from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import Finding
from cachekey.record import record
from cachekey.rules.missing_cache_mount import check as missing_cache_mount
from cachekey.text import Span
from cachekey.workspace.project import Project


@record(frozen=True)
class CacheLens:
    """What is said above a cache mount."""

    span: Span
    title: str
    mount: Mount


def cache_lenses(
    project: Project, document: Dockerfile, told: Mapping[int, Sequence[str]]
) -> Iterator[CacheLens]:
    """Yield a line for each mount that shares its cache; what is wrong with one alone a squiggle says.

    ``told`` is what a builder was asked for, by where a mount stands; of such a mount all is said.
    """
    for run, mount in document.caches:
        key = mount.key
        if key is None:
            continue
        places = list(project.sharing(key))
        more = told.get(mount.span.start, ())
        if len(places) < 2 and not more:
            continue
        may = right_to_write(document, run, mount)[0]
        files = len({place.path for place in places})
        parts = [key.label, _count(len(places), "mount")]
        if files > 1:
            parts[-1] += f" in {files} files"
        if may is not None:
            parts.append("writable" if may else "read-only" if mount.readonly else "not writable")
        yield CacheLens(mount.span, " · ".join([*parts, *more]), mount)


def missing_lenses(
    document: Dockerfile, findings: tuple[Finding, ...]
) -> Iterator[tuple[int, Span, str]]:
    """Yield number, place and title of the findings that say that a cache is missing.

    A lens says what the finding does, without the reason.
    """
    places = {use.invocation.head for run in document.runs for use in run.uses}
    for number, finding in enumerate(findings):
        if finding.code == missing_cache_mount.code and finding.span in places:
            what = finding.message.partition(" whenever ")[0]
            yield number, finding.span, f"{what} · add a cache mount"


def implied_ids(document: Dockerfile) -> Iterator[tuple[int, str]]:
    """Yield, for each mount without an ``id``, the offset to show it at and the id that it implies."""
    for _, mount in document.caches:
        if mount.key is None or mount.id:
            continue
        option = mount.options.get("type")
        at = option.field.span.end if option is not None else mount.span.end
        yield at, f",id={mount.key.name.text}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
