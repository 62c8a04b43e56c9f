"""JSON Schemas of what Cachekey reads and writes, made from what the code itself goes by.

They follow draft 2020-12. `make docs` writes them beside this module.
"""

from __future__ import annotations

from typing import Any

from cachekey.finding import Safety, Severity
from cachekey.report.json import VERSION
from cachekey.report.rules import catalog
from cachekey.workspace.settings import (
    ENGINES,
    FILE_ONLY,
    OVERRIDABLE,
    SEVERITIES,
    SettingDoc,
    documentation,
)

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_OVERRIDE = {
    "type": "object",
    "required": ["paths"],
    "additionalProperties": False,
    "properties": {
        "paths": {"type": "array", "items": _STRING},
        **{key: {"$ref": f"#/properties/{key}"} for key in OVERRIDABLE},
    },
}


def settings_schema() -> dict[str, Any]:
    """Return the schema of ``cachekey.toml``, and of ``[tool.cachekey]`` in a ``pyproject.toml``."""
    return {
        "$schema": DRAFT,
        "title": "Settings of Cachekey",
        "type": "object",
        "additionalProperties": False,
        "properties": {item.key: _setting(item) for item in (*FILE_ONLY, *documentation())},
        "$defs": {"rule": _selector()},
    }


def _setting(item: SettingDoc) -> dict[str, Any]:
    rule = {"$ref": "#/$defs/rule"}
    shapes: dict[str, dict[str, Any]] = {
        "rules": {"type": "array", "items": rule},
        "severities": {
            "type": "object",
            "propertyNames": rule,
            "additionalProperties": {"enum": list(SEVERITIES)},
        },
        "strings": {"type": "array", "items": _STRING},
        "string": _STRING,
        "table": {"type": "object", "additionalProperties": _STRING},
        "tables": {"type": "object", "additionalProperties": {"type": "object"}},
        "engine": {"enum": list(ENGINES)},
        "overrides": {"type": "array", "items": _OVERRIDE},
    }
    about = {"description": item.doc, **shapes[item.kind]}
    if item.default is None:
        return about
    default = list(item.default) if isinstance(item.default, tuple) else item.default
    return {**about, "default": default}


def _selector() -> dict[str, Any]:
    """A rule by its code, a prefix of codes, its name, or all of them."""
    entries = catalog()
    codes = [entry.code for entry in entries]
    prefixes = sorted({code[:length] for code in codes for length in range(2, len(code))})
    return {"enum": ["ALL", *prefixes, *codes, *(entry.name for entry in entries)]}


def report_schema() -> dict[str, Any]:
    """Return the schema of what ``cachekey check --format json`` writes."""
    range_, severities = {"$ref": "#/$defs/range"}, [item.value for item in Severity]
    place = {"path": _STRING, "range": range_}
    edit = _object({**place, "newText": _STRING})
    fix = _object(
        {
            "title": _STRING,
            "safety": {"enum": [item.value for item in Safety]},
            "preferred": {"type": "boolean"},
            "edits": {"type": "array", "items": edit},
        }
    )
    finding = _object(
        {
            **place,
            "code": {"enum": [entry.code for entry in catalog()]},
            "rule": {"enum": [entry.name for entry in catalog()]},
            "severity": {"enum": severities},
            "message": _STRING,
            "related": {"type": "array", "items": _object({**place, "message": _STRING})},
            "fixes": {"type": "array", "items": fix},
        }
    )
    position = _object({"line": _COUNT, "character": _COUNT})
    position["description"] = "Zero-based; characters are UTF-16 code units, as in LSP."
    return {
        "$schema": DRAFT,
        "title": "Findings of Cachekey",
        **_object(
            {
                "version": {"const": VERSION},
                "files": {**_COUNT, "description": "How many files were checked."},
                "findings": {"type": "array", "items": finding},
            }
        ),
        "$defs": {
            "position": position,
            "range": _object({side: {"$ref": "#/$defs/position"} for side in ("start", "end")}),
        },
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these members. Later versions may add some."""
    return {"type": "object", "required": list(properties), "properties": properties}
