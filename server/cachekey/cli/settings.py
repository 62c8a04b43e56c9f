"""``cachekey settings``: which settings are in force for a place, and who set each of them."""

from __future__ import annotations

import json
import os
import posixpath
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cachekey.cli.options import config_of, known_rules, overrides_of, style
from cachekey.cli.terminal import UsageError, complain
from cachekey.cli.terminal import write as say
from cachekey.cli.workspace import relative
from cachekey.disk.discovery import SettingsFile, SettingsFinder
from cachekey.disk.files import absolute, is_folder
from cachekey.finding import Severity
from cachekey.markup.terminal import Output, Style, Terminal, line, output, padded, terminal
from cachekey.syntax.toml import Places
from cachekey.workspace.settings import TABLE, Overrides, documentation, merge

if TYPE_CHECKING:
    from argparse import Namespace

VERSION = 1
_OPTIONS = {
    "select": "--select",
    "ignore": "--ignore",
    "namespace": "--namespace",
    "build-args": "--build-arg",
    "engine": "--engine",
}


def run(options: Namespace) -> int:
    """Run ``cachekey settings``."""
    paths = list(options.paths) or ["."]
    overrides, finder = overrides_of(options), SettingsFinder(known_rules, config_of(options))
    reports = []
    problems: list[str] = []
    for path in paths:
        place = absolute(path)
        if not os.path.exists(place):
            raise UsageError(f"{path}: no such file or folder")
        file = finder.of(place if is_folder(place) else posixpath.dirname(place))
        reports.append(_report(path, file, overrides))
        name = relative(file.path) if file.path else ""
        problems += [f"{name}: {problem.message}" for problem in file.problems]
    if options.format == "json":
        from cachekey.markup.data import dump

        say(sys.stdout, dump({"version": VERSION, "places": reports}))
    else:
        for report in reports:
            say(sys.stdout, _text(report))
    for problem in dict.fromkeys(problems):
        complain(problem)
    return 2 if problems else 0


def _report(path: str, file: SettingsFile, overrides: Overrides) -> dict[str, Any]:
    merged = merge(file.settings, overrides)
    places = Places(file.source) if file.path else None
    table = () if file.path.endswith("cachekey.toml") else TABLE
    values = {}
    for item in documentation():
        name = item.key.replace("-", "_")
        key = (*table, item.key)
        entry = places.find(key) if places is not None else None
        origin: dict[str, Any] = {"kind": "default"}
        if entry is not None and entry.path[: len(key)] == key:
            row = file.source.position(entry.key.start).line
            origin = {"kind": "file", "path": relative(file.path), "line": row}
        if getattr(overrides, name, None):
            # What the command line says of rules and arguments joins the file's, or replaces it.
            origin = {"kind": "option", "option": _OPTIONS[item.key]}
        values[item.key] = {"value": _plain(getattr(merged, name)), "origin": origin}
    return {"path": path, "file": relative(file.path) if file.path else None, "settings": values}


def _plain(value: object) -> object:
    if isinstance(value, Severity):
        return value.value
    if isinstance(value, Mapping):
        return {key: "off" if item is None else _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _text(report: Mapping[str, Any]) -> Output:
    return output(_lines(report))


def _lines(report: Mapping[str, Any]) -> Iterator[Terminal]:
    paint = style()
    where = report["file"] or "no settings file: the defaults"
    yield paint(terminal(f"{report['path']} ({where})"), "1")
    width = max(map(len, report["settings"]))
    for key, item in report["settings"].items():
        value = json.dumps(item["value"], ensure_ascii=False)
        name = padded(terminal(key), width)
        yield line("  {} = {}  {}", name, terminal(value), _origin(item["origin"], paint))


def _origin(origin: Mapping[str, Any], paint: Style) -> Terminal:
    if origin["kind"] == "file":
        text = f"# {origin['path']}:{origin['line'] + 1}"
    else:
        text = f"# {origin.get('option', 'default')}"
    return paint(terminal(text), "2")
