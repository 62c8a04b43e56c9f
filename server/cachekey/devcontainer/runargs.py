"""The words of ``runArgs``, which go to ``docker run`` as they are."""

from __future__ import annotations

from collections.abc import Iterator

from cachekey.syntax.jsonc.tree import Node
from cachekey.text import Mapped


def option_values(node: Node | None, long: str, short: str = "") -> Iterator[Mapped]:
    """Yield the values that an option is given: ``--user x``, ``--user=x``, ``-u x``, ``-ux``."""
    texts = [e.value.text for e in node.elements if e.value.text is not None] if node else []
    for index, text in enumerate(texts):
        if text.text in (long, short):
            if index + 1 < len(texts):
                yield texts[index + 1]
        elif text.text.startswith(f"{long}="):
            yield text.slice(len(long) + 1)
        elif short and text.text.startswith(short):
            yield text.slice(len(short) + (text.text[len(short)] == "="))
