"""What a RUN as a whole does to files: the effects of its programs, and those of its tools.

``None`` and "may" say that something in the RUN cannot be known; a rule then says nothing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator

from cachekey.commands.effect import Effect, inside, meets
from cachekey.commands.effects import effects_of
from cachekey.commands.familiar import is_familiar
from cachekey.commands.read import Commands, Invocation
from cachekey.knowledge import Knowledge
from cachekey.record import cached_property
from cachekey.text import Span
from cachekey.tools.uses import ToolUse

_PLACES = ("copies", "moves", "links")


class RunEffects:
    """The effects of one RUN."""

    def __init__(self, commands: Commands, uses: tuple[ToolUse, ...], knowledge: Knowledge) -> None:
        """Take what the RUN calls, as far as it can be read, and which tools that are."""
        self.complete = commands.complete
        self._items = commands.items
        self._knowledge = knowledge
        self._uses: dict[int, list[ToolUse]] = {}
        for use in uses:
            self._uses.setdefault(id(use.invocation), []).append(use)

    def _tools(self, item: Invocation) -> list[ToolUse]:
        return self._uses.get(id(item), [])

    @cached_property
    def known(self) -> tuple[tuple[Invocation, Effect], ...]:
        """The effects that are known, in order, each with its command."""
        return tuple((item, effect) for item in self._items for effect in effects_of(item) or ())

    def of(self, *kinds: str) -> Iterator[tuple[Invocation, Effect]]:
        """Yield the known effects of some kinds."""
        return ((item, effect) for item, effect in self.known if effect.kind in kinds)

    def mentions(self, path: str) -> bool:
        """Tell whether a word, a variable or a redirection of the RUN speaks of a path."""
        return any(self.speaks_of(item, path) for item in self._items)

    def speaks_of(self, item: Invocation, path: str) -> bool:
        """Tell the same of one of its commands."""
        words = [text or word.written for word, text in zip(item.args, item.texts, strict=True)]
        words += [setting.text for setting in item.env.values() if setting.text]
        words += [redirect.target.written for redirect in item.simple.redirects]
        return any(path in word for word in words)

    # -- writing --------------------------------------------------------------------------------

    def may_write(self, path: str, outside: str | None = None) -> bool:
        """Tell whether the RUN may bring something to a path, or into the folder that it is.

        What surely goes into the folder ``outside`` does not count.
        """
        return not self.complete or self.any_may_write(self._items, path, outside)

    def any_may_write(
        self, items: Iterable[Invocation], path: str, outside: str | None = None
    ) -> bool:
        """Tell the same of some commands of the RUN."""
        return any(self._may_write(item, path, outside) for item in items)

    def effects(self, item: Invocation) -> tuple[Effect, ...]:
        """Return what is known of one command."""
        return effects_of(item) or ()

    def _may_write(self, item: Invocation, path: str, outside: str | None) -> bool:
        effects = effects_of(item)
        if effects is not None:
            return any(lands(effect, path, outside) for effect in effects)
        uses = self._tools(item)
        if any(use.opaque or _tool_writes(use, path, outside) for use in uses):
            return True
        if item.shown or any(use.own for use in uses):
            return False
        if item.program is None or item.opaque or not is_familiar(item.program):
            return True
        return _names(item, path) or item.cwd is None or inside(path, item.cwd)

    def may_make(self, folder: str) -> bool:
        """Tell whether the RUN may make a folder, be it empty."""
        made = (effect for _, effect in self.of("makes", "opens"))
        return self.may_write(folder) or any(meets(effect.path, folder) for effect in made)

    # -- taking out -----------------------------------------------------------------------------

    def takes_out(self, folder: str) -> bool | None:
        """Tell whether the RUN carries content of a folder elsewhere; None: nobody knows.

        A link carries nothing: it points back.
        """
        answer: bool | None = False if self.complete else None
        for item in self._items:
            found = self._takes_out(item, folder)
            if found:
                return True
            if found is None:
                answer = None
        return answer

    def _takes_out(self, item: Invocation, folder: str) -> bool | None:
        effects = effects_of(item)
        if effects is None:
            uses = self._tools(item)
            if item.shown and all(use.applies for use in uses):
                return False
            if not any(use.own for use in uses) or any(use.applies is None for use in uses):
                return None
            if any(use.opaque for use in uses):
                return None
            own = {one.span for use in uses for one in use.directories}
            return None if _names(item, folder, own=own) else False
        written = any(
            effect.kind == "writes" and not (effect.path and inside(effect.path, folder))
            for effect in effects
        )
        for effect in effects:
            reading = effect.kind == "reads" and (written or item.in_pipeline)
            if effect.kind not in ("copies", "moves") and not reading:
                continue
            if effect.path is None or (effect.to is None and not reading):
                return None
            if effect.to is not None and inside(effect.to, folder):
                continue
            if inside(effect.path, folder) or (effect.deep and meets(effect.path, folder)):
                return True if effect.kind != "reads" or written else None
            if effect.kind != "reads" and meets(effect.path, folder) and effect.deep:
                return True
        return False

    # -- opening --------------------------------------------------------------------------------

    def may_open(self, folder: str | None) -> bool:
        """Tell whether the RUN changes owner or mode of what it leaves in a folder, or may do so."""
        if not self.complete or any(item.program == "umask" for item in self._items):
            return True
        return any(folder is None or meets(effect.path, folder) for _, effect in self.of("opens"))


def lands(effect: Effect, path: str, outside: str | None = None) -> bool:
    """Tell whether an effect may bring something to a path, or into the folder that it is.

    What surely goes into the folder ``outside`` does not count.
    """
    place = effect.path if effect.kind == "writes" else effect.to
    if outside is not None and place is not None and inside(place, outside):
        return False
    if effect.kind == "writes":
        if effect.path is None:
            return True
        return meets(effect.path, path) if effect.deep else _hits(effect.path, path)
    if effect.kind not in _PLACES:
        return False
    if effect.kind == "copies" and effect.to is not None and _is_some_file(effect):
        # Which one is not known, but no folder: it lies at the destination or directly in it.
        return inside(effect.to, path) or posixpath.dirname(path) == effect.to
    if effect.to is None or effect.path is None or effect.deep:
        return meets(effect.to, path)
    return _hits(effect.to, path) or _hits(
        posixpath.join(effect.to, posixpath.basename(effect.path)), path
    )


def _is_some_file(effect: Effect) -> bool:
    """Tell whether a copy names files that nobody can tell (``app{,_test}``), and brings no folder."""
    word = effect.word.written if effect.word is not None else ""
    return effect.path is None and not effect.deep and (word[:1].isalnum() or word.startswith("/"))


def _hits(written: str, path: str) -> bool:
    """Tell whether a file that is written lies at a path, or in the folder that it is."""
    return inside(written, path) or (meets(written, path) and not inside(path, written))


def _tool_writes(use: ToolUse, path: str, outside: str | None) -> bool:
    """Tell whether a tool may write there: its directories, what its words name, what it starts."""
    if use.applies is None:
        return True
    for item in use.directories:
        place = item.path if item.used is not False else None
        if place is not None and meets(place, path) and not (outside and inside(place, outside)):
            return True
    return _names(use.invocation, path, outside)


def _names(
    item: Invocation,
    path: str,
    outside: str | None = None,
    own: Collection[Span | None] = (),
) -> bool:
    """Tell whether a word of the command names the path, or what lies in it or around it.

    A word that names what lies in the folder ``outside`` does not count, nor do those at ``own`` places:
    they tell a tool where its directory is.
    """
    for word, text in zip(item.args, item.texts, strict=True):
        if word.span in own:
            continue
        if text is None:
            text = item.resolve(word, globs=True)
        if text is None:
            return True
        for part in (text, text.partition("=")[2]):
            if "/" in part and part[:1] not in ("-", "@"):
                named = part if part.startswith("/") else posixpath.join(item.cwd or "/", part)
                named = posixpath.normpath(named)
                if outside is not None and inside(named, outside):
                    continue
                if meets(named, path) and named != "/":
                    return True
    return False
