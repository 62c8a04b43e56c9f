"""One value out of a tool's configuration file, read minimally and never failing.

TOML and JSON by dotted key; YAML only where a scalar stands at the top level; everything else as
``key = value`` lines, below ``[section]`` where the key says so (``global.cache-dir``); a key with a colon
in it stands as it is (``core.cache:storage_path``).
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from cachekey.budget import kept

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_YAML = re.compile(r"([A-Za-z_][\w-]*)[ \t]*:(.*)")
_SECTION = re.compile(r"\[([^\]]+)\]\s*\Z")
_COMMENT = re.compile(r"\s#")


class Unreadable:
    """The file is there and cannot be understood at this key."""


UNREADABLE = Unreadable()


def config_value(name: str, text: str, key: str) -> str | Unreadable | None:
    """Return the value of ``key`` in the file ``name``; None when it is not set there."""
    suffix = name.rpartition(".")[2]
    if suffix in {"toml", "json"} or name.endswith(".cargo/config"):
        data = _tree(suffix if suffix == "json" else "toml", text)
        return _dotted(data, key) if data is not None else UNREADABLE
    if suffix in {"yml", "yaml"}:
        return _yaml(text, key)
    return _lines(text, key)


@kept(64)
def _tree(kind: str, text: str) -> Any:
    try:
        return json.loads(text) if kind == "json" else tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _dotted(data: Any, key: str) -> str | Unreadable | None:
    for part in key.split("."):
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    if data is None:
        return None
    if isinstance(data, bool):
        return "true" if data else "false"
    return str(data) if isinstance(data, (str, int, float)) else UNREADABLE


def _yaml(text: str, key: str) -> str | Unreadable | None:
    for line in text.split("\n"):
        # Blanks are stripped by hand: an expression would try each of them as the last.
        match = _YAML.match(line)
        if match is None or match[1] != key:
            continue
        value = match[2].strip(" \t\r")
        if value[:1] in {"'", '"'}:
            end = value.find(value[0], 1)
            return value[1:end] if end > 0 and "\\" not in value else UNREADABLE
        comment = _COMMENT.search(value)
        value = value[: comment.start()].rstrip() if comment else value
        return UNREADABLE if not value or value[0] in "|>&*!{[#" else value
    return None


def _lines(text: str, key: str) -> str | None:
    section, _, name = ("", "", key) if ":" in key else key.rpartition(".")
    here = ""
    found: str | None = None
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        header = _SECTION.match(line)
        if header:
            here = header[1].strip()
        elif here == section:
            left, right = _split(line, name)
            if left == name and right:
                found = right.strip("\"'")
    return found


def _split(line: str, name: str) -> tuple[str, str]:
    """Take ``key = value``, ``key: value`` or ``key "value"`` apart."""
    if ":" in name:
        left, _, right = line.partition("=")
        return left.strip(), right.strip()
    match = re.match(r"\"?([\w.@/-]+)\"?\s*[=:\s]\s*(.*)\Z", line)
    return (match[1], match[2]) if match else (line, "")
