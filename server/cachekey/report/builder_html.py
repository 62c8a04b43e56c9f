"""The caches of a builder as a page: bars of size and age, whose they are, and what is split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cachekey.markup.html import Html, escaped, filled, together
from cachekey.report.builder import (
    REFUSED,
    ago,
    counted,
    forecast,
    headline,
    rule_words,
    size,
    used_last,
)
from cachekey.report.history_html import history
from cachekey.report.page import badge, bar, colour_of, filter_field, head, listed, place, whole

Link = Callable[[str, int], str]
"""The URI of a zero-based line of a file."""


def page(document: Mapping[str, Any], link: Link, now: datetime) -> Html:
    """Return the page of a ``builder`` document."""
    builder = document["builder"]
    kind, found = headline(builder)
    parts = [
        filled(
            '<h1>Caches on this builder</h1><p class="dim">{}</p>',
            escaped(f"{kind} at {builder['name']} ({found})"),
        ),
        _facts(document),
    ]
    if not builder["namesCaches"]:
        parts.append(
            filled(
                "<p>{}</p>",
                badge(
                    escaped("calm"),
                    "BuildKit before 0.12: ids are not told, only targets and commands",
                ),
            )
        )
    parts += [
        _table(document["caches"], link, now),
        _places("No cache yet: the next build begins empty", document["missing"], link),
        _places("Cannot be told: the key depends on", document["open"], link),
        _refused(document["refused"], link),
        _totals(document["totals"]),
        _collector(document),
        history(document, link, now),
    ]
    return whole(f"Caches on {builder['name']}", together(parts))


def _facts(document: Mapping[str, Any]) -> Html:
    caches = document["caches"]
    unused = [cache for cache in caches if not cache["mounts"]]
    split = [cache for cache in caches if cache["broken"] or cache["duplicates"]]
    facts = [
        (size(sum(cache["size"] for cache in caches)), f"in {counted(len(caches), 'cache')}"),
        (str(len(split)), "split, or stored more than once"),
        (str(len(document["missing"])), "mounts without a cache yet"),
        (size(sum(cache["size"] for cache in unused)), f"in {len(unused)} that no file here uses"),
    ]
    return filled(
        '<ul class="facts">{}</ul>',
        together(
            filled("<li><b>{}</b>{}</li>", escaped(number), escaped(text))
            for number, text in facts
            if not number.startswith("0")
        ),
    )


def _table(caches: Sequence[Mapping[str, Any]], link: Link, now: datetime) -> Html:
    if not caches:
        return filled("<p>{}</p>", escaped("This builder has no cache mount's cache."))
    largest = max(cache["size"] for cache in caches) or 1
    ages = {cache["key"]: _age(cache, now) for cache in caches}
    oldest = max((age for age in ages.values() if age is not None), default=0) or 1
    rows = [_row(cache, link, now, largest, ages[cache["key"]], oldest) for cache in caches]
    heads = [
        head("Cache", "name"),
        head("Size", "size", sorted_by=True),
        head("Last used", "age"),
        head("Mounted by"),
        head("Collected"),
    ]
    return together(
        [
            filter_field("key, tool or file"),
            filled(
                "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
                together(heads),
                together(rows),
            ),
        ]
    )


def _age(cache: Mapping[str, Any], now: datetime) -> float | None:
    used = used_last(cache)
    return max(0.0, (now - datetime.fromisoformat(used)).total_seconds()) if used else None


def _row(
    cache: Mapping[str, Any],
    link: Link,
    now: datetime,
    largest: int,
    age: float | None,
    oldest: float,
) -> Html:
    tools = _tools(cache)
    used = used_last(cache)
    return filled(
        '<tr data-name="{}" data-size="{}" data-age="{}"><td class="key">{}</td>'
        '<td class="figure">{}{}</td><td class="figure">{}{}</td><td>{}</td><td>{}</td></tr>',
        escaped(cache["key"]),
        escaped(str(cache["size"])),
        escaped(f"{-1 if age is None else age:.0f}"),
        _name(cache, tools, now),
        escaped(size(cache["size"])),
        bar(cache["size"] / largest, colour_of(tools[0] if tools else "")),
        escaped(ago(used, now) if used else "not told"),
        bar(0 if age is None else age / oldest, escaped("age")),
        _mounts(cache, link),
        _collected(cache, now),
    )


def _tools(cache: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(tool for mount in cache["mounts"] for tool in mount["tools"]))


def _name(cache: Mapping[str, Any], tools: Sequence[str], now: datetime) -> Html:
    badges = [badge(escaped("calm"), tool) for tool in tools]
    if any(item["inUse"] for item in cache["records"]):
        badges.append(badge(escaped("good"), "in use now"))
    if not cache["mounts"]:
        badges.append(badge(escaped("bad"), "no file here uses it"))
    elif cache["match"] == "probable":
        badges.append(badge(escaped("calm"), "probably"))
    broken = [f"not shared with {item['key']}: {item['why']}" for item in cache["broken"]]
    broken += [cache["duplicates"]] if cache["duplicates"] else []
    return together(
        [
            escaped(cache["key"]),
            filled("<div>{}</div>", together(badges)),
            filled('<div class="dim">{}</div>', escaped(cache["doubt"] or "")),
            *(filled('<div class="broken">{}</div>', escaped(text)) for text in broken),
            _records(cache["records"], now),
        ]
    )


def _records(records: Sequence[Mapping[str, Any]], now: datetime) -> Html:
    rows = []
    for item in records:
        made = f", made {ago(item['created'], now)}" if item["created"] else ""
        text = f"{item['id']}: {size(item['size'])}{made}, uses counted: {item['useCount']}"
        rows.append(filled("{}<br><code>{}</code>", escaped(text), escaped(item["prune"])))
    return filled(
        "<details><summary>{}</summary>{}</details>",
        escaped(f"{counted(len(records), 'record')}, and how to remove"),
        listed(rows),
    )


def _mounts(cache: Mapping[str, Any], link: Link) -> Html:
    if not cache["mounts"]:
        first = f"first mounted on {cache['target']}" if cache["target"] else "nobody"
        return filled('<span class="dim">{}</span>', escaped(first))
    return listed(_mount(mount, link) for mount in cache["mounts"])


def _mount(mount: Mapping[str, Any], link: Link) -> Html:
    text = f"{mount['path']}:{mount['line'] + 1}"
    return place(link(mount["path"], mount["line"]), text, f"stage {mount['stage']}")


def _collected(cache: Mapping[str, Any], now: datetime) -> Html:
    told = [item["collected"] for item in cache["records"] if item["collected"]]
    orders = [item["order"] for item in told if item["order"] is not None]
    if orders:
        return badge(escaped("bad"), f"next, as number {min(orders) + 1}")
    later = sorted(item["from"] for item in told if item["from"])
    if later and len(later) == len(cache["records"]):
        days = (datetime.fromisoformat(later[0]) - now).total_seconds() / 86400
        return filled('<span class="dim">{}</span>', escaped(f"kept for {max(days, 0.1):.1f} days"))
    return filled('<span class="dim">{}</span>', escaped("when room is needed" if told else ""))


def _places(title: str, mounts: Sequence[Mapping[str, Any]], link: Link) -> Html:
    if not mounts:
        return escaped("")
    rows = [
        filled(
            "{} <span>{}</span>",
            _mount(mount, link),
            escaped(", ".join(mount.get("unresolved") or [mount["key"]])),
        )
        for mount in mounts
    ]
    return filled("<h2>{}</h2>{}", escaped(title), listed(rows))


def _refused(mounts: Sequence[Mapping[str, Any]], link: Link) -> Html:
    if not mounts:
        return escaped("")
    rows = [filled("{} <span>{}</span>", _mount(one, link), escaped(one["why"])) for one in mounts]
    return filled("<h2>{}</h2>{}", escaped(REFUSED), listed(rows))


def _totals(totals: Sequence[Mapping[str, Any]]) -> Html:
    if len(totals) < 2:
        return escaped("")
    largest = max(item["size"] for item in totals) or 1
    rows = [
        filled(
            '<tr><td>{}</td><td class="figure">{}{}</td><td>{}</td></tr>',
            escaped(", ".join(item["tools"]) or "of no known tool"),
            escaped(size(item["size"])),
            bar(item["size"] / largest, colour_of(item["tools"][0] if item["tools"] else "")),
            escaped(counted(item["caches"], "cache")),
        )
        for item in totals
    ]
    return filled("<h2>By tool</h2><table><tbody>{}</tbody></table>", together(rows))


def _collector(document: Mapping[str, Any]) -> Html:
    if document["builder"]["kind"] == "buildah":
        return escaped("")
    rules = [rule_words(policy) for policy in document["collector"]["policies"] or ()]
    return filled(
        "<h2>Garbage collection</h2>{}{}",
        filled("<ol>{}</ol>", together(filled("<li>{}</li>", escaped(text)) for text in rules))
        if rules
        else escaped(""),
        together(filled("<p>{}</p>", escaped(text)) for text in forecast(document)),
    )
