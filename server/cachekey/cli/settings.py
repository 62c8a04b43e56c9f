"""``cachekey settings``: which settings are in force for a place, and who set each of them."""

from __future__ import annotations

import json
import os
import posixpath
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cachekey.cli.options import config_of, known_rules, overrides_of, style
from cachekey.cli.terminal import UsageError, complain
from cachekey.cli.terminal import write as say
from cachekey.cli.workspace import relative
from cachekey.disk.discovery import repository
from cachekey.disk.files import absolute, is_folder, read
from cachekey.disk.settings import SettingsFile, SettingsFinder
from cachekey.finding import Severity
from cachekey.markup.terminal import Output, Style, Terminal, line, output, padded, terminal
from cachekey.syntax.jsonc.parse import parse
from cachekey.syntax.toml import KeyPath, Places
from cachekey.text import Source
from cachekey.workspace.settings import Overrides, Settings, documentation, merge

if TYPE_CHECKING:
    from argparse import Namespace

VERSION = 1
_VSCODE = ".vscode/settings.json"
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
    overrides = overrides_of(options)
    finder = SettingsFinder(known_rules, config_of(options), root=absolute("."))
    reports = []
    problems: list[str] = []
    for path in paths:
        place = absolute(path)
        if not os.path.exists(place):
            raise UsageError(f"{path}: no such file or folder")
        folder = place if is_folder(place) else posixpath.dirname(place)
        file = finder.of(folder)
        report = _report(path, file, file.overriding(place), overrides)
        for key, origin in _in_vscode(folder):
            if key in report["settings"]:
                report["settings"][key]["editor"] = origin
        reports.append(report)
        for each in (file, *file.bases):
            problems += [f"{relative(each.path)}: {problem.message}" for problem in each.problems]
    if options.format == "json":
        from cachekey.markup.data import dump

        say(sys.stdout, dump({"version": VERSION, "places": reports}))
    else:
        for report in reports:
            say(sys.stdout, _text(report))
    for problem in dict.fromkeys(problems):
        complain(problem)
    return 2 if problems else 0


@dataclass(frozen=True)
class _Layer:
    """One who sets something, with the place of each setting."""

    kind: str
    """``extend``, ``file`` or ``override``."""
    file: SettingsFile
    given: frozenset[str]
    table: KeyPath

    def origin(self, places: Mapping[str, Places], key: str) -> dict[str, Any]:
        entry = places[self.file.path].find((*self.table, key))
        row = self.file.source.position(entry.key.start).line if entry is not None else 0
        return {"kind": self.kind, "path": relative(self.file.path), "line": row}


def _layers(file: SettingsFile, overriding: Sequence[int]) -> Iterator[_Layer]:
    """Yield who sets something, in the order in which it counts: the last one's word is the strongest."""
    for base in reversed(file.bases):
        yield _Layer("extend", base, base.written.given, base.table)
    yield _Layer("file", file, file.written.given, file.table)
    for number in overriding:
        of, item = file.overrides[number]
        place = (*of.table, "overrides", of.written.overrides.index(item))
        yield _Layer("override", of, item.given, place)


def _report(
    path: str, file: SettingsFile, overriding: Sequence[int], overrides: Overrides
) -> dict[str, Any]:
    merged = merge(file.over(Settings(), overriding), overrides)
    layers = list(_layers(file, overriding))
    places = {layer.file.path: Places(layer.file.source) for layer in layers}
    values = {}
    for item in documentation():
        name = item.key.replace("-", "_")
        value = getattr(merged, name)
        origins = [layer.origin(places, item.key) for layer in layers if name in layer.given]
        adds = name in {"ignore", "exclude"} or isinstance(value, Mapping)
        if getattr(overrides, name, None) not in (None, (), {}):
            option = {"kind": "option", "option": _OPTIONS[item.key]}
            origins = [*origins, option] if adds and overrides.select is None else [option]
        elif name == "ignore" and overrides.select is not None:
            # Who chooses rules lifts what files leave out.
            origins = []
        values[item.key] = {"value": _plain(value), "origins": origins if adds else origins[-1:]}
    return {"path": path, "file": relative(file.path) if file.path else None, "settings": values}


def _in_vscode(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the settings that a workspace has for VS Code, which count there only, below the files."""
    top = repository(folder) or absolute(".")
    path = f"{top}/{_VSCODE}"
    text = read(path, top).text if os.path.isfile(path) else None
    tree = parse(Source(text or ""))
    for member in tree.root.effective() if tree.root is not None else ():
        section, _, key = member.key.text.partition(".")
        if section == "cachekey":
            row = tree.source.position(member.key_span.start).line
            yield key, {"kind": "vscode", "path": relative(path), "line": row}


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
        yield line("  {} = {}  {}", name, terminal(value), _told(item, paint))


def _told(setting: Mapping[str, Any], paint: Style) -> Terminal:
    said = ", ".join(map(_origin, setting["origins"])) or "default"
    if "editor" in setting:
        said += f"; in VS Code also {_origin(setting['editor'])}"
    return paint(terminal(f"# {said}"), "2")


def _origin(origin: Mapping[str, Any]) -> str:
    if origin["kind"] == "option":
        return str(origin["option"])
    why = {"extend": " (extended)", "override": " (override)"}.get(origin["kind"], "")
    return f"{origin['path']}:{origin['line'] + 1}{why}"
