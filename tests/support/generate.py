"""Writes what is generated: parts of the README and the manifest, schemas, scripts of shells.

``--check`` only compares.

``make docs`` runs it; a test keeps the files from drifting.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cachekey import __version__
from cachekey.cli.completion import FOLDER, SHELLS
from cachekey.report.rules import catalog
from cachekey.report.schemas import report_schema, settings_schema
from cachekey.workspace.settings import FILE_ONLY, documentation

from tests.support.completion import script

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
EDITORS = ROOT / "docs" / "editors.md"
PROJECT = ROOT / "pyproject.toml"
NOWHERE = "OWNER/cachekey"
PACKAGE = ROOT / "client-vscode" / "package.json"
SCHEMAS = ROOT / "server" / "cachekey" / "report"
GROUPS = {
    "CK0": "Cachekey itself",
    "CK1": "identity",
    "CK2": "ownership",
    "CK3": "never used",
    "CK4": "lost results",
    "CK5": "concurrency and speed",
    "CK6": "invalid mounts",
    "CK7": "dev containers",
}
SEVERITY = {"error": "error", "warning": "warning", "information": "info", "hint": "hint"}


def rule_table() -> str:
    """Return the table of all rules."""
    lines = ["| code | name | severity | what it says | fix |", "|---|---|---|---|---|"]
    group = ""
    for rule in catalog():
        if rule.code[:3] != group:
            group = rule.code[:3]
            lines.append(f"| | **{GROUPS[group]}** | | | |")
        fix = {"always": "yes", "sometimes": "mostly", "never": ""}[rule.fixable.value]
        severity = SEVERITY[rule.severity.value]
        lines.append(f"| {rule.code} | {rule.name} | {severity} | {rule.summary} | {fix} |")
    return "\n".join(lines)


def settings_table() -> str:
    """Return the table of all settings."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for item in (*documentation(), *FILE_ONLY):
        default = json.dumps(item.default if not isinstance(item.default, tuple) else [])
        shown = f"`{default}`" if item.default is not None else ""
        lines.append(f"| `{item.key}` | {shown} | {item.doc} |")
    return "\n".join(lines)


def proof_table() -> str:
    """Return the table of what the builders proved, as the last full run recorded it."""
    path = ROOT / "tests" / "buildkit" / "PROOF.md"
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def home() -> str:
    """Return where this repository lives on GitHub: what ``[project.urls]`` says, once it does."""
    urls = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"].get("urls", {})
    return str(urls.get("Repository", NOWHERE)).removeprefix("https://github.com/").rstrip("/")


def home_note() -> str:
    """Say what the names in the snippets stand for while nothing is published."""
    if home() != NOWHERE:
        return f"The snippets name the release of this text, `v{__version__}`."
    return (
        f"Cachekey is not published yet: `OWNER` stands for the account that will host it, and "
        f"`v{__version__}` for\nthe tag of its first release. Until then put the path of a clone and "
        "a commit in their place."
    )


def published(text: str) -> str:
    """Return a paper with the repository's name and version in every snippet."""
    text = re.sub(r"(github\.com/)[\w-]+/cachekey\b", lambda match: f"{match[1]}{home()}", text)
    text = re.sub(
        r"(pkg:pypi/cachekey@)\d+\.\d+\.\d+", lambda match: f"{match[1]}{__version__}", text
    )
    where = re.compile(r"[\w-]+/cachekey(@v|\n +rev: v)\d+\.\d+\.\d+")
    return where.sub(lambda match: f"{home()}{match[1]}{__version__}", text)


PARTS = {"home": home_note, "rules": rule_table, "settings": settings_table, "proof": proof_table}


def readme(text: str) -> str:
    """Return the README with its generated parts renewed."""
    for name, make in PARTS.items():
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        text = pattern.sub(lambda match, make=make: f"{match[1]}{make()}\n{match[2]}", text)
    return published(text)


def package(text: str) -> str:
    """Return the extension's manifest with the descriptions of the server's settings renewed."""
    data: dict[str, Any] = json.loads(text)
    properties = data["contributes"]["configuration"]["properties"]
    for item in documentation():
        properties[f"cachekey.{item.key}"]["markdownDescription"] = item.doc
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def schema(data: dict[str, Any]) -> str:
    """Return the text of a JSON Schema."""
    return json.dumps(data, indent=2) + "\n"


def completed(shell: str) -> Callable[[str], str]:
    """Return what makes the script of a shell."""
    return lambda text: script(shell)


FILES = (
    (README, readme),
    (EDITORS, published),
    (PACKAGE, package),
    (SCHEMAS / "settings.schema.json", lambda text: schema(settings_schema())),
    (SCHEMAS / "check.schema.json", lambda text: schema(report_schema())),
    *((FOLDER / f"cachekey.{shell}", completed(shell)) for shell in SHELLS),
)


def main() -> int:
    """Renew the files, or tell with ``--check`` whether they are up to date."""
    stale = [
        path for path, make in FILES if path.read_text("utf-8") != make(path.read_text("utf-8"))
    ]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run `make docs`", file=sys.stderr)
        return bool(stale)
    for path, make in FILES:
        path.write_text(make(path.read_text("utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
