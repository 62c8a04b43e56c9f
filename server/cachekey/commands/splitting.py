"""What a shell makes of an unquoted variable: as many words as its value has.

``ARG PIP="uv pip"`` and ``$PIP install`` call ``uv``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cachekey.syntax.shell.parse import Lookup, Part, Word

MOST_WORDS = 200
"""Words of one value; behind that the variable counts as not known."""

_GLOB = frozenset("*?[")
_LIST = re.compile(r"\{([^{},*?\[~]*(?:,[^{},*?\[~]*)+)\}")
"""A list in braces, of plain words."""


class PieceOfWord(Word):
    """One of the words, or a part of one, that a variable's value gives: no word of the file itself."""

    removable = False


def split_words(words: Sequence[Word], lookup: Lookup) -> tuple[Word, ...]:
    """Return the words as the program gets them; what is not known stays as it is written."""
    if not any(_splits(word) for word in words):
        return tuple(words)
    result: list[Word] = []
    for word in words:
        result += _split(word, lookup) if _splits(word) else (word,)
    return tuple(result)


def split_lists(words: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words as bash makes them of lists in braces (``/var/cache/{yum,dnf}/*``).

    A list within a list, a range (``{1..9}``) and more words than are read stay untold.
    """
    result: list[Word] = []
    for word in words:
        lists = [part for part in word.parts or () if _choices(word, part)]
        result += _each(word) if lists else (word,)
    return tuple(result)


def _choices(word: Word, part: Part) -> list[str]:
    """Return what a part of a word stands for one after the other, when it is a plain list."""
    match = _LIST.fullmatch(word.source.text, part.start, part.stop)
    return match.group(1).split(",") if part.kind == "hole" and match else []


def _each(word: Word) -> Sequence[Word]:
    fields: list[list[Part]] = [[]]
    for part in word.parts or ():
        made = [
            [Part("text", part.start, part.stop, text, False)] if text else []
            for text in _choices(word, part)
        ] or [[part]]
        if len(fields) * len(made) > MOST_WORDS:
            return (word,)
        fields = [[*field, *one] for field in fields for one in made]
    return [PieceOfWord(word.source, word.start, word.stop, tuple(f)) for f in fields if f]


def _splits(word: Word) -> bool:
    return any(part.kind == "var" and not part.quoted for part in word.parts or ())


def _split(word: Word, lookup: Lookup) -> Sequence[Word]:
    fields: list[list[Part]] = [[]]
    for part in word.parts or ():
        value = lookup(part.text) if part.kind == "var" and not part.quoted else None
        if part.kind != "var" or part.quoted:
            fields[-1].append(part)
            continue
        if value is None or not _GLOB.isdisjoint(value) or len(value) > 100 * MOST_WORDS:
            return (word,)
        pieces = value.split()
        if value[:1].isspace() and fields[-1]:
            fields.append([])
        for number, piece in enumerate(pieces):
            if number:
                fields.append([])
            fields[-1].append(Part("text", part.start, part.stop, piece, True))
        if pieces and value[-1:].isspace():
            fields.append([])
        if len(fields) > MOST_WORDS:
            return (word,)
    kept = [field for field in fields if field]
    if not kept or (len(kept) == 1 and len(fields) == 1):
        # An argument that is empty by default is there to be given: what then stands here is open.
        return (word,)
    return [PieceOfWord(word.source, word.start, word.stop, tuple(field)) for field in kept]
