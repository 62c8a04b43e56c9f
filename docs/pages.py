"""Writes the pages of the documentation's site, and the file that mkdocs goes by.

``make docs-site`` runs it. Nothing is said twice: rules come from their docstrings, the rest from the
README, and what is written here only is what has no place there.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from cachekey import __version__
from cachekey.assist import keys_page
from cachekey.report.rules import as_markdown, catalog
from pygments.formatters import HtmlFormatter

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SECTIONS = {
    "index.md": ("", "Why", "Try it", "Install"),
    "command-line.md": ("Command line",),
    "pipelines.md": ("In other repositories",),
    "builders.md": ("What is really there",),
    "rules.md": ("Rules",),
    "settings.md": ("Settings",),
    "proof.md": ("How do we know?",),
}
"""Which sections of the README make a page."""
NAV = {
    "Start": "index.md",
    "Editors": "editors.md",
    "How keys work": "keys.md",
    "Dev containers": "dev-containers.md",
    "Command line": "command-line.md",
    "Pipelines": "pipelines.md",
    "Builders": "builders.md",
    "Settings": "settings.md",
    "Rules": "rules.md",
    "How do we know?": "proof.md",
    "Changes": "changes.md",
}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+:)([^)#]+)\)")
_CODE = re.compile(r"(?<![\w/`\[*-])(CK[0-7]\d\d)(?![\w\]])")


def pages() -> Iterator[tuple[str, str]]:
    """Yield every page: its path and its Markdown."""
    parts = _sections((ROOT / "README.md").read_text(encoding="utf-8"))
    for path, names in SECTIONS.items():
        text = "\n".join(parts[name] for name in names)
        # A page that is one section has its title.
        yield path, _linked(text if path == "index.md" else text.replace("## ", "# ", 1))
    yield "keys.md", keys_page.PAGE
    for own in ("editors.md", "dev-containers.md"):
        yield own, (HERE / own).read_text(encoding="utf-8")
    yield "changes.md", _linked((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    for entry in catalog():
        yield f"rules/{entry.code}.md", _linked(as_markdown(entry), entry.code)


def _sections(text: str) -> dict[str, str]:
    """Return what stands below each heading of the second order, the heading with it."""
    found: dict[str, str] = {}
    for part in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        head = re.match(r"## (.+)", part)
        found[head[1] if head else ""] = part
    return found


def _linked(text: str, own: str = "") -> str:
    """Make rules links to their pages, and of links into the repository what the site has of them."""
    codes = {entry.code for entry in catalog()}
    up = "" if own else "rules/"
    lines, fenced = [], False
    for line in text.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        if not fenced and not line.startswith("# "):
            line = _LINK.sub(_link, line)
            line = _CODE.sub(
                lambda match: (
                    f"[{match[1]}]({up}{match[1]}.md)" if match[1] in codes - {own} else match[1]
                ),
                line,
            )
        lines.append(line)
    return "\n".join(lines)


def _link(match: re.Match[str]) -> str:
    image, text, target = match.groups()
    if image:
        return f"![{text}](images/{Path(target).name})"
    if target == "CHANGELOG.md":
        return f"[{text}](changes.md)"
    if target.startswith("docs/"):
        return f"[{text if text != target else Path(target).stem}]({Path(target).name})"
    # The rest is in the repository, which the site does not carry.
    return f"{text} (`{target}`)" if text != target else f"`{target}`"


def configuration(source: Path, to: Path) -> str:
    """Return mkdocs' configuration; JSON is YAML."""
    return json.dumps(
        {
            "site_name": f"Cachekey {__version__}",
            "docs_dir": str(source),
            "site_dir": str(to),
            "use_directory_urls": False,
            "strict": True,
            # The theme's own highlighter would be loaded from elsewhere; Pygments paints beforehand.
            "theme": {"name": "mkdocs", "highlightjs": False, "color_mode": "auto"},
            "markdown_extensions": ["tables", {"codehilite": {"guess_lang": False}}],
            "extra_css": ["code.css"],
            "plugins": ["search"],
            "nav": [{title: path} for title, path in NAV.items()],
            # Seventy pages, which the table of all rules leads to.
            "not_in_nav": "/rules/*",
        }
    )


def style() -> str:
    """Return the style sheet of painted code, for light and dark."""
    light = HtmlFormatter(style="default").get_style_defs(".codehilite")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".codehilite")
    at_night = f"@media (prefers-color-scheme: dark) {{\n{dark}\n}}"
    return f"{light}\n{at_night}\n.codehilite {{ margin-bottom: 1em }}\n"


def write(source: Path) -> None:
    """Write all pages and what belongs to them into a folder."""
    shutil.rmtree(source, ignore_errors=True)
    (source / "rules").mkdir(parents=True)
    for path, text in pages():
        (source / path).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "client-vscode" / "images", source / "images")
    (source / "code.css").write_text(style(), encoding="utf-8")


def main(source: str, to: str) -> int:
    """Write the pages to ``source``, for a site in ``to``; both are absolute."""
    write(Path(source))
    (Path(source).parent / "mkdocs.yml").write_text(configuration(Path(source), Path(to)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
