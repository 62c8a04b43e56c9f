"""What became of the caches between two states of a workspace: born, lost, renamed, split, joined, cold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from cachekey.dockerfile.records import Dockerfile
from cachekey.markup.markdown import Markdown, card
from cachekey.markup.rich import Rich, joined, rich
from cachekey.record import record
from cachekey.workspace.project import Project

VERSION = 1
_MANY = 6


@record(frozen=True)
class Held:
    """A cache mount as one state has it."""

    path: str
    line: int
    """Zero-based."""
    sign: tuple[str, str, str]
    """By what it is the same mount in the other state: stage, directory, what its RUN runs first."""
    keys: tuple[str, ...]
    """Its key, or one for each build that makes another."""


def held(project: Project, paths: Iterable[str]) -> list[Held]:
    """Return the cache mounts of Dockerfiles, in order."""
    found: list[Held] = []
    for path in paths:
        document = project.model(path)
        if not isinstance(document, Dockerfile):
            continue
        builds = project.built(document)
        for run, mount in document.caches:
            keys = {
                str(one.key): None
                for built in builds
                for one in built.keys.get(mount.span.start, ())
            }
            stage = document.stage_of(run).label
            folder = mount.directory or mount.target.text
            first = run.commands.items[0].program or "" if run.commands.items else ""
            line = document.source.line_of(mount.span.start)
            found.append(Held(path, line, (stage, folder, first), tuple(keys) or (str(mount.key),)))
    return found


def changes(
    before: Sequence[Held], after: Sequence[Held], shown: Callable[[str], str]
) -> dict[str, Any]:
    """Return the document of ``cachekey diff --format json``; lines are those of the later state."""
    old = {key for one in before for key in one.keys}
    new = {key for one in after for key in one.keys}
    moves = [(was, now) for was, now in _pairs(before, after) if was.keys != now.keys]
    pairs = list(_pairs(before, after))
    renamed: dict[tuple[str, str], list[Held]] = {}
    for was, now in moves:
        if len(was.keys) == len(now.keys) == 1:
            key, to = was.keys[0], now.keys[0]
            if key not in new and to not in old:
                renamed.setdefault((key, to), []).append(now)
    sources, targets = _spread(pairs), _spread([(now, was) for was, now in pairs])
    split = {key: to for key, to in sources.items() if len(to) > 1 and to.keys() - old}
    join = {key: of for key, of in targets.items() if len(of) > 1 and of.keys() - new}
    gone, come = {one for one, _ in renamed}, {to for _, to in renamed}
    parts = {key for to in split.values() for key in to} | set(join)
    return {
        "version": VERSION,
        "born": sorted(new - old - come - parts),
        "lost": sorted(old - new - gone - set(split) - {k for of in join.values() for k in of}),
        "renamed": [
            {"from": key, "to": to, "mounts": _places(mounts, shown)}
            for (key, to), mounts in renamed.items()
            if key not in split and to not in join
        ],
        "split": [
            {"from": key, "to": sorted(to), "mounts": _places(_all(to), shown)}
            for key, to in split.items()
        ],
        "joined": [
            {"from": sorted(of), "to": key, "mounts": _places(_all(of), shown)}
            for key, of in join.items()
        ],
        "cold": [
            {"path": shown(one.path), "line": one.line, "key": key}
            for one in after
            for key in one.keys
            if key not in old
        ],
    }


def _pairs(before: Sequence[Held], after: Sequence[Held]) -> Iterator[tuple[Held, Held]]:
    """Yield the mounts that are the same in both states: first by their sign, then by their order."""
    paths = {one.path for one in before} & {one.path for one in after}
    for path in sorted(paths):
        old = [one for one in before if one.path == path]
        new = [one for one in after if one.path == path]
        matcher = SequenceMatcher(None, [x.sign for x in old], [x.sign for x in new], False)
        for kind, a, b, c, d in matcher.get_opcodes():
            pairs = list(zip(old[a:b], new[c:d], strict=False))
            # Of as many as before each stands for the one in its place: its directory has moved.
            moved = kind == "replace" and b - a == d - c and _moved(pairs)
            if kind == "equal" or moved:
                yield from pairs


def _moved(pairs: Sequence[tuple[Held, Held]]) -> bool:
    """Tell whether mounts are the same with one thing changed, and none has the place of another."""
    before, after = ({one.sign[1] for one in side} for side in zip(*pairs, strict=True))
    alike = all(
        sum(a == b for a, b in zip(was.sign, now.sign, strict=True)) >= 2 for was, now in pairs
    )
    stays = all(was.sign[1] == now.sign[1] for was, now in pairs)
    return alike and (stays or not before & after)


def _spread(pairs: Iterable[tuple[Held, Held]]) -> dict[str, dict[str, list[Held]]]:
    """Return to which keys of the other state the mounts of a key have gone."""
    found: dict[str, dict[str, list[Held]]] = {}
    for one, other in pairs:
        if len(one.keys) == len(other.keys) == 1:
            found.setdefault(one.keys[0], {}).setdefault(other.keys[0], []).append(other)
    return found


def _all(parts: Mapping[str, list[Held]]) -> list[Held]:
    return [one for mounts in parts.values() for one in mounts]


def _places(mounts: Iterable[Held], shown: Callable[[str], str]) -> list[dict[str, Any]]:
    return [{"path": shown(one.path), "line": one.line} for one in mounts]


# -- for people ------------------------------------------------------------------------------------------


def lines(document: Mapping[str, Any]) -> tuple[Rich, ...]:
    """Return the document as a head and a list."""
    told = [*_told(document)]
    if not told:
        return (rich("**Build caches**: nothing changes"),)
    cold: Sequence[Mapping[str, Any]] = document["cold"]
    if cold:
        shown = [rich("{}", f"{one['path']}:{one['line'] + 1}") for one in cold[:_MANY]]
        more = rich(" and {} more", str(len(cold) - _MANY)) if len(cold) > _MANY else Rich()
        told.append(rich("Starts empty once: {}{}", joined(", ", shown), more))
    return (rich("**Build caches** change"), *told)


def _told(document: Mapping[str, Any]) -> Iterator[Rich]:
    for item in document["renamed"]:
        yield rich("`{}` is called `{}` now: another cache", item["from"], item["to"])
    for item in document["split"]:
        yield rich("`{}` splits into {}", item["from"], _keys(item["to"]))
    for item in document["joined"]:
        yield rich("{} become one: `{}`", _keys(item["from"]), item["to"])
    if document["born"]:
        yield rich("New: {}", _keys(document["born"]))
    if document["lost"]:
        yield rich("No longer used: {}", _keys(document["lost"]))


def _keys(keys: Sequence[str]) -> Rich:
    shown = joined(", ", [rich("`{}`", key) for key in keys[:_MANY]])
    return rich("{} and {} more", shown, str(len(keys) - _MANY)) if len(keys) > _MANY else shown


def markdown(document: Mapping[str, Any]) -> Markdown:
    """Return it for a comment on a pull request."""
    return card(lines(document))
