"""HTML and SVG: text between tags and in attributes."""

from __future__ import annotations

import html as standard
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NewType

from cachekey.markup.visible import one_line

Html = NewType("Html", str)
"""HTML or SVG that shows the workspace's text as text."""


def escaped(text: str) -> Html:
    """Make any text safe between tags and inside of a quoted attribute.

    >>> escaped('<a href="x">')
    '&lt;a href=&quot;x&quot;&gt;'
    """
    return Html(standard.escape(one_line(text), quote=True))


def filled(template: str, *parts: Html) -> Html:
    """Fill the ``{}`` of a template, which must be a literal."""
    return Html(template.format(*parts))


def together(parts: Iterable[Html]) -> Html:
    """Put parts behind each other."""
    return Html("".join(parts))


@lru_cache
def asset(file: Path) -> Html:
    """Take a style sheet or a script of the package as it is: nothing of a workspace is in it."""
    return Html(file.read_text("utf-8"))
