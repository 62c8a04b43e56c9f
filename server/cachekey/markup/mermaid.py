"""Mermaid diagrams: text in nodes, which some renderers would take for markup or links."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NewType

from cachekey.markup.terminal import Output, text_output
from cachekey.markup.visible import one_line

Mermaid = NewType("Mermaid", str)
"""One line of a diagram that shows the workspace's text as text."""

_SPECIAL = re.compile(r"[^\w ./:@${}()+,=-]")


def node(template: str, name: str, text: str) -> Mermaid:
    """Write a node; ``name`` is ours, the template a literal with two ``{}``.

    >>> node("{}[{}]", "f0", 'a"]; click f0 "x"')
    'f0["a#34;#93;#59; click f0 #34;x#34;"]'
    """
    shown = _SPECIAL.sub(lambda match: f"#{ord(match[0])};", one_line(text))
    return Mermaid(template.format(name, f'"{shown}"'))


def edge(template: str, one: str, other: str) -> Mermaid:
    """Write a line between two nodes, whose names are ours."""
    return Mermaid(template.format(one, other))


def diagram(body: Iterable[Mermaid]) -> Output:
    """Put the lines of a flow chart from left to right below each other."""
    return text_output("".join(f"{line}\n" for line in ("flowchart LR", *body)))
