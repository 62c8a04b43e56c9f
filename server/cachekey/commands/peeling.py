"""A command line on its way through wrappers: what is left of it, and what they have changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from cachekey.commands.shellstate import Frame, Setting, ShellState, joined
from cachekey.record import record, replace
from cachekey.syntax.shell.parse import Lookup, Word
from cachekey.text import Mapped

_NAME_AT_END = re.compile(r"/[^/$`]+\Z")
_NO_OPTION = re.compile(r"[\w./]")


@record(frozen=True, eq=False)
class NestedScript:
    """A script that a shell is given as a word, or as its input."""

    text: Mapped
    filled: bool
    """Its variables are filled in before the shell gets it."""


@dataclass(eq=False)
class Call:
    """A command line, of which the words in front of ``at`` are used up."""

    words: tuple[Word, ...]
    state: ShellState
    frame: Frame
    env: Mapping[str, Setting]
    unset: frozenset[str]
    cwd: str | None
    at: int = 0
    head_start: int | None = None
    """Index of the first word that names what is run, when that is not the one at ``at``."""
    program: str | None = None
    """The name of what stands at ``at``, when its word is not simply that."""
    nested: NestedScript | None = None
    script_at: int | None = None
    """Index of the word that names the file which a shell runs."""
    has_input: bool = False
    """A pipe or a redirection feeds it."""
    document: Mapped | None = None
    """The text of its here-document, when that is known."""
    fills_document: bool = True
    """Variables in the here-document are filled in before it is read."""
    _texts: list[str | None] | None = field(default=None, repr=False)

    @property
    def texts(self) -> list[str | None]:
        """The values of all words."""
        if self._texts is None:
            value = self.state.value
            self._texts = [word.resolve(value) for word in self.words]
        return self._texts

    def called(self) -> str | None:
        """Return the program as called; the directory may hold variables, the name may not."""
        text = self.program or self.text(self.at)
        if text is not None or self.at >= len(self.words):
            return text
        parts = self.words[self.at].parts
        last = parts[-1] if parts else None
        if last is not None and last.kind == "text" and _NAME_AT_END.search(last.text):
            return self.words[self.at].unquoted().text
        return None

    def text(self, index: int) -> str | None:
        """Return the value of one word; None when it is not known or not there."""
        return self.texts[index] if index < len(self.words) else None

    def change(self, **changes: Any) -> None:
        """Change the frame."""
        self.frame = replace(self.frame, **changes)

    def set(self, name: str, setting: Setting) -> None:
        """Set a variable for what is called."""
        self.env = {**self.env, name: setting}
        if name in self.unset:
            self.unset -= {name}

    def drop(self, name: str) -> None:
        """Keep a variable from what is called."""
        self.env = {key: value for key, value in self.env.items() if key != name}
        self.unset |= {name}

    def clear(self) -> None:
        """Keep the whole environment from what is called."""
        self.env, self.unset = {}, frozenset()
        self.change(clears_environment=True)

    def become(self, index: int | None, default: str | None, home_reset: bool) -> None:
        """Run on as another user, whom the word at ``index`` names."""
        if index is not None and index >= len(self.words):
            index = None
        text = default if index is None else self.text(index)
        if text is None:
            label = self.words[index].written if index is not None else "another user"
            self.change(user=label, user_known=False, home_reset=home_reset)
        else:
            # `gosu app:app` names a group as well; `sudo -u #1000` a number.
            self.change(user=text.lstrip("#"), user_known=True, home_reset=home_reset)
        if home_reset and "HOME" in self.env:
            self.env = {key: value for key, value in self.env.items() if key != "HOME"}

    def move(self, path: str | None) -> None:
        """Run on in another directory."""
        self.cwd = joined(self.cwd, path)

    def handed_on(self, base: Lookup | None) -> Lookup:
        """Return the environment of what this starts; ``base`` is the one of a call without a shell."""
        state = self.nested_state()
        return state.value if base is None else replace(state, base=base).value

    def nested_state(self) -> ShellState:
        """Return the state that a script begins with which this call starts."""
        frame = self.frame
        filled = self.nested is not None and self.nested.filled
        return replace(
            self.state,
            env=self.env,
            unset=self.unset,
            hidden={},
            filled_by=self.state if filled else None,
            cwd=self.cwd,
            cleared=frame.clears_environment,
            home_reset=frame.home_reset or self.state.home_reset,
            exports_all=False,
        )


@record(frozen=True)
class Options:
    """The options in front of a wrapped command, and where they end."""

    end: int
    """Index of the first word that is no option."""
    found: Mapping[str, int | None]
    """For each option, the index of the word with its value; None without one."""
    inline: Mapping[str, str]
    """Values written into the option's own word (``-uapp``, ``--user=app``)."""

    def __contains__(self, names: object) -> bool:
        return names in self.found

    def any(self, *names: str) -> bool:
        """Tell whether one of these was given."""
        return any(name in self.found for name in names)


def read_options(call: Call, start: int, valued: Collection[str]) -> Options | None:
    """Read options from word ``start`` on; None when a word there is not known."""
    found: dict[str, int | None] = {}
    inline: dict[str, str] = {}
    at, size = start, len(call.words)
    while at < size:
        text = call.text(at)
        if text is None:
            if _NO_OPTION.match(call.words[at].written):
                break
            # It may be an option (`$FLAGS`) or the command: nobody knows where that begins.
            return None
        if text == "--":
            at += 1
            break
        if not text.startswith("-") or text == "-":
            break
        at += 1
        if text.startswith("--"):
            name, equals, value = text.partition("=")
            found[name] = None
            if equals:
                inline[name] = value
            elif name in valued:
                found[name] = at
                at += 1
            continue
        for index, letter in enumerate(text[1:], 1):
            name = f"-{letter}"
            found[name] = None
            if name in valued:
                if index + 1 < len(text):
                    inline[name] = text[index + 1 :]
                else:
                    found[name] = at
                    at += 1
                break
    return Options(min(at, size), found, inline)


def setting_of(word: Word, state: ShellState) -> tuple[str, Setting] | None:
    """Read ``NAME=value`` as ``env``, ``sudo`` and ``export`` take it."""
    split = word.split_assignment()
    if split is None:
        return None
    name, value = split
    text = "" if value.start == value.stop else value.resolve(state.value)
    return name, Setting(text, word.span)
