"""The caches of a builder as text for people; the JSON form is :mod:`cachekey.builder.data`'s own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from cachekey.markup.terminal import Output, Style, Terminal, joined, line, output, terminal

_UNITS = ("B", "kB", "MB", "GB", "TB")
_AGES = ((86400 * 2, 86400, "days"), (7200, 3600, "h"), (120, 60, "min"))
REFUSED = "Refused by the builder, so that a build of the stage fails"
UNTOLD = "This builder tells nothing of its past builds this way."
_KINDS = {"docker": "Docker", "buildx": "BuildKit", "buildkitd": "BuildKit", "buildah": "Buildah"}


def render(document: Mapping[str, Any], style: Style, now: datetime) -> Output:
    """Return the text of a ``builder`` document."""
    return output(_lines(document, style, now))


def _lines(document: Mapping[str, Any], style: Style, now: datetime) -> Iterator[Terminal]:
    yield _headline(document["builder"], style)
    caches: Sequence[Mapping[str, Any]] = document["caches"]
    yield _summary(caches)
    if not document["builder"]["namesCaches"]:
        yield terminal(
            "This builder does not tell the ids of its caches (BuildKit before 0.12): they are "
            "compared by target and command of their first use, and ids cannot be known."
        )
    for cache in caches:
        yield from _cache(cache, style, now)
    yield from _places("No cache yet, the next build begins empty", document["missing"], style)
    yield from _places("Cannot be told, the key depends on", document["open"], style)
    yield from _refused(document["refused"], style)
    yield from _totals(document["totals"], style)
    yield from _collector(document, style)
    yield from _history(document, style, now)


def headline(builder: Mapping[str, Any]) -> tuple[str, str]:
    """Say what kind of builder it is, and what named it."""
    return f"{_KINDS[builder['kind']]} {builder['version']}".strip(), builder["found"]


def _headline(builder: Mapping[str, Any], style: Style) -> Terminal:
    kind, found = headline(builder)
    name = style(terminal(str(builder["name"])), "1")
    return line("{} at {} ({})", terminal(kind), name, terminal(found))


def _summary(caches: Sequence[Mapping[str, Any]]) -> Terminal:
    unused = [cache for cache in caches if not cache["mounts"]]
    text = f"{counted(len(caches), 'cache')}, {size(sum(c['size'] for c in caches))}"
    if unused:
        text += f"; no file here uses {len(unused)} of them, {size(sum(c['size'] for c in unused))}"
    return terminal(text)


def _cache(cache: Mapping[str, Any], style: Style, now: datetime) -> Iterator[Terminal]:
    yield terminal("")
    records: Sequence[Mapping[str, Any]] = cache["records"]
    used = used_last(cache)
    facts = [size(cache["size"])]
    if len(records) == 1 and records[0]["created"]:
        facts.append(f"made {ago(records[0]['created'], now)}")
    if used:
        facts.append(f"last used {ago(used, now)}")
    if count := sum(item["useCount"] for item in records):
        facts.append(f"{counted(count, 'use')} counted")
    if any(item["inUse"] for item in records):
        facts.append("in use now")
    key = style(terminal(cache["key"]), "1")
    yield line("{}  {}", key, style(terminal(", ".join(facts)), "36"))
    for mount in cache["mounts"]:
        yield _mount(mount)
    if not cache["mounts"]:
        first = f", first mounted on {cache['target']}" if cache["target"] else ""
        yield style(terminal(f"  no file here uses it{first}"), "33")
    elif cache["match"] == "probable":
        yield style(terminal(f"  probably: {cache['doubt']}"), "2")
    for item in cache["broken"]:
        yield style(terminal(f"  not shared with {item['key']}: {item['why']}"), "33")
    if cache["duplicates"]:
        yield style(terminal(f"  {cache['duplicates']}"), "33")
    for item in records:
        made = f", made {ago(item['created'], now)}" if item["created"] else ""
        if len(records) > 1:
            yield terminal(f"  {item['id']}: {size(item['size'])}{made}")
        yield style(terminal(f"  prune: {item['prune']}"), "2")


def used_last(cache: Mapping[str, Any]) -> str:
    """Return when a cache was used last, as an ISO time; nothing where that is not told."""
    return max((item["lastUsed"] or "" for item in cache["records"]), default="")


def _mount(mount: Mapping[str, Any]) -> Terminal:
    place = f"{mount['path']}:{mount['line'] + 1}"
    return terminal(f"  {place}  stage {mount['stage']}  {', '.join(mount['tools'])}".rstrip())


def _places(title: str, mounts: Sequence[Mapping[str, Any]], style: Style) -> Iterator[Terminal]:
    if not mounts:
        return
    yield terminal("")
    yield style(terminal(title), "1")
    for mount in mounts:
        what = ", ".join(mount.get("unresolved") or [mount["key"]])
        yield joined("", [_mount(mount), terminal(f"  {what}")])


def _refused(mounts: Sequence[Mapping[str, Any]], style: Style) -> Iterator[Terminal]:
    if not mounts:
        return
    yield terminal("")
    yield style(terminal(REFUSED), "1")
    for mount in mounts:
        place = f"{mount['path']}:{mount['line'] + 1}"
        yield terminal(f"  {place}  stage {mount['stage']}  {mount['why']}")


def _totals(totals: Sequence[Mapping[str, Any]], style: Style) -> Iterator[Terminal]:
    if len(totals) < 2:
        return
    yield terminal("")
    yield style(terminal("By tool"), "1")
    for item in totals:
        tools = ", ".join(item["tools"]) or "unknown"
        yield terminal(f"  {size(item['size']):>9}  {tools}")


def _collector(document: Mapping[str, Any], style: Style) -> Iterator[Terminal]:
    if document["builder"]["kind"] == "buildah":
        return
    yield terminal("")
    yield style(terminal("Garbage collection"), "1")
    for number, policy in enumerate(document["collector"]["policies"] or (), 1):
        yield terminal(f"  {number}. {rule_words(policy)}")
    for text in forecast(document):
        yield terminal(f"  {text}")


def _history(document: Mapping[str, Any], style: Style, now: datetime) -> Iterator[Terminal]:
    if "history" not in document:
        return
    yield terminal("")
    yield style(terminal("Builds"), "1")
    if document["history"] is None:
        yield terminal(f"  {UNTOLD}")
        return
    for build in document["history"]:
        name = build["path"] or f"{build['file']} (of another place)"
        yield terminal(f"  {clock(build['created'])}, {ago(build['created'], now)}: {name}")
        for step in build["steps"]:
            keys = ", ".join(mount["name"].removeprefix("/") for mount in step["mounts"])
            time = "cached" if step["cached"] else took(step["seconds"])
            yield terminal(f"    line {step['line'] + 1:<5} {time:>8}  {keys}")
    for change in document["changes"]:
        text = f"{change['path']}: since the build of {clock(change['since'])} {change['words']}"
        yield style(terminal(f"  {text}"), "33")


def clock(text: str) -> str:
    """Write an ISO time as that of the user's clock."""
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M}"


def took(seconds: float | None) -> str:
    """Write how long a step took."""
    return "?" if seconds is None else f"{seconds:.1f} s"


def rule_words(policy: Mapping[str, Any]) -> str:
    """Say what a rule of the collector takes."""
    types = [text.removeprefix("type==") for text in policy["filters"]]
    what = ", ".join(types) if types else "everything" if policy["all"] else "all unshared records"
    unused = f" unused for {span(policy['keepSeconds'])}" if policy["keepSeconds"] else ""
    limits = []
    if policy["maxUsedSpace"]:
        limits.append(f"all records together exceed {size(policy['maxUsedSpace'])}")
    if policy["minFreeSpace"]:
        limits.append(f"less than {size(policy['minFreeSpace'])} of the disk is free")
    when = f", while {' or '.join(limits)}" if limits else ""
    return f"{what}{unused}{when}"


def forecast(document: Mapping[str, Any]) -> Iterator[str]:
    """Say, in sentences, what the next collection takes."""
    policies = document["collector"]["policies"]
    if policies is None:
        yield "This builder does not tell its rules; docker buildx inspect may."
        return
    if not policies:
        yield "It is switched off: nothing is taken."
        return
    ranks = sorted(
        (item["collected"]["order"], cache["key"])
        for cache in document["caches"]
        for item in cache["records"]
        if item["collected"] and item["collected"]["order"] is not None
    )
    keys = ", ".join(dict.fromkeys(key for _, key in ranks))
    if document["collector"]["takesMore"]:
        begin = f"{keys}, and then more" if keys else "some"
        yield f"The next collection takes {begin}; which of them first, the builder tells too little for."
    elif ranks:
        yield f"The next collection takes, in this order: {keys}"
    else:
        yield "The next collection takes none of these caches."
    if any(policy["minFreeSpace"] for policy in policies):
        yield "It takes more when the disk has too little room: how full it is, it does not tell."


def size(count: int) -> str:
    """Write bytes as Docker does, in decimal units."""
    number, unit = float(count), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.3g} {_UNITS[unit]}"


def ago(text: str, now: datetime) -> str:
    """Write how long ago an ISO time was."""
    seconds = (now - datetime.fromisoformat(text)).total_seconds()
    return "just now" if seconds < 60 else f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """Write a duration with one unit."""
    for least, unit, name in _AGES:
        if seconds >= least:
            return f"{seconds // unit:.0f} {name}"
    return "1 day" if seconds == 86400 else f"{seconds:.0f} s" if seconds < 60 else "1 min"


def counted(number: int, noun: str) -> str:
    """Write a number with what is counted."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
