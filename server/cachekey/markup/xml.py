"""XML for programs: text between tags and in attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from cachekey.markup.terminal import Output, text_output
from cachekey.markup.visible import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def element(
    tag: str, attributes: Mapping[str, str], children: Iterable[ElementTree.Element] = ()
) -> ElementTree.Element:
    """Make an element; its attributes may hold any text, the tag and their names are literals."""
    # XML 1.0 knows no way to write control characters: they are shown as what they are.
    made = ElementTree.Element(tag, {name: one_line(text) for name, text in attributes.items()})
    made.extend(children)
    return made


def document(root: ElementTree.Element) -> Output:
    """Write a document, indented, in UTF-8 once it is written to a stream."""
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return text_output(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')
