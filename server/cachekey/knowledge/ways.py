"""How a tool is told: parts of its command line, and what may decide a value, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from cachekey.record import record


@record(frozen=True)
class Pattern:
    """A part of a command line: words in order, options anywhere, ``!option`` for its absence.

    ``*`` alone fits every command line, the empty pattern one without any word that is not an
    option. Words and options are shell globs.
    """

    text: str
    words: tuple[str, ...]
    options: tuple[str, ...]
    absent: tuple[str, ...]
    first: str
    """The first word when it is no glob, else empty: most patterns are told apart by it."""


@record(frozen=True, eq=False)
class Way:
    """One thing that may decide a value.

    Exactly one of flag, env, word, config, command, program, fact, argument is set.
    """

    flag: str = ""
    """``--cache-dir``: its value is the next word or what follows ``=``."""
    env: str = ""
    word: str = ""
    """``CC``: what a word ``CC=VALUE`` of the command line says, as make and configure take it."""
    config: str = ""
    """A file of the project (relative), or at a place that a template tells (``$HOME/...``)."""
    command: Pattern | None = None
    """A command run earlier (``config set cache``); the value is the word behind it, with ``NAME@`` at its
    end the word that begins with this."""
    by: str = ""
    """With ``command``: another program that has run it (``corepack prepare yarn@3.2.0``)."""
    program: str = ""
    """The tool is called by this name: what tells it from another one, whatever the image is."""
    argument: bool = False
    """The last word of the command line that is no option: the directory that a tool is to make."""
    fact: str = ""
    """A fact that the base image's record states."""
    key: str = ""
    """Dotted key in ``config``; the key of ``KEY=VALUE`` after ``flag``."""
    text: str = ""
    """With ``config``: the file holds this text (instead of a key)."""
    value: str = ""
    """The value that ``text``, or the bare existence of ``config``, stands for."""
    below: str = ""
    """Path below the value: ``CARGO_HOME`` is not the cache, ``registry`` below it is. A ``*`` in it
    stands for a version, which nobody knows from here: so is the path then."""
    children: tuple[str, ...] = ()
    """Globs of all that the tool makes in the directory when this way decides (see :class:`CacheDir`)."""
    split: str = ""
    """The value is a list, its first item counts (``:``)."""
    ignore_case: bool = False
    earlier: bool = False
    """With ``flag`` or ``word``: an earlier call of the program may have said it (``cmake -D`` for
    ``--build``, ``configure CC=...`` for ``make``)."""
    when: Mapping[str, str] = field(default_factory=dict)
    """Settings (see :class:`Setting`) that must have these values for the way to count."""

    def is_env(self, name: str) -> bool:
        """Tell whether this is the environment variable ``name``."""
        if self.ignore_case:
            return bool(name) and self.env.lower() == name.lower()
        return bool(name) and self.env == name

    @property
    def label(self) -> str:
        """Name the way for a reader."""
        if self.flag:
            return f"{self.flag} {self.key}".strip()
        if self.config:
            return f"{self.key} in {self.config}" if self.key else self.config
        named = (
            self.env or self.word or self.program or self.fact or "its last word" * self.argument
        )
        return named or (self.command.text if self.command else "")


@record(frozen=True, eq=False)
class Setting:
    """A named value on which directories or the tool itself depend; without default: unknown."""

    name: str
    sources: tuple[Way, ...]
    default: str | None
    what: str
    """What it says, for a reader; empty: its name tells."""
