"""What a shell has set so far: variables, working directory; and as whom it runs.

All records are immutable: a command's invocation keeps the state that it was started in.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import field
from functools import partial
from typing import NamedTuple

from cachekey.record import record, replace
from cachekey.syntax.shell.parse import Command, Lookup, Word
from cachekey.text import Span

_MAX_VARIABLES = 500
"""Variables that are kept track of; each change copies the tables of one state."""


class Setting(NamedTuple):
    """A variable that the script sets."""

    text: str | None
    """None: set to something that cannot be told."""
    span: Span
    """The assignment, name and value."""
    choices: tuple[str, ...] = ()
    """Of a loop's variable: what it becomes, one after the other, where that can be told."""


@record(frozen=True)
class Frame:
    """What wrappers around a command (``sudo``, ``env -i``, ``bash -lc``) change for it."""

    user: str | None = None
    """None: the user of the RUN. Only a label when ``user_known`` is False."""
    user_known: bool = True
    clears_environment: bool = False
    """Variables of the RUN do not arrive, but for those that the invocation names."""
    login: bool = False
    home_reset: bool = False
    """HOME is set to the user's own by what changed the user."""
    args_known: bool = True
    via: str = ""
    conditional: bool = False
    past: Command | None = None
    """The last command in front of it at which its script may have ended well."""
    in_pipeline: bool = False
    in_subshell: bool = False
    lists: bool = False
    """The shell makes many words of a list in braces."""


@record(frozen=True, eq=False)
class ShellState:
    """The variables and the directory in force at one place of a script."""

    base: Lookup
    """Variables of the RUN's environment."""
    env: Mapping[str, Setting] = field(default_factory=dict)
    """Set by the script, and handed on to what it starts."""
    hidden: Mapping[str, Setting] = field(default_factory=dict)
    """Set by the script, but not handed on."""
    unset: frozenset[str] = frozenset()
    environment_known: bool = True
    exports_all: bool = False
    cwd: str | None = None
    cleared: bool = False
    """Nothing of the RUN's environment is there."""
    home_reset: bool = False
    filled_by: ShellState | None = None
    """Of a script in double quotes: what its variables were filled in by, before it was started."""

    @property
    def size(self) -> int:
        """What another state with one thing changed costs: the entries of its tables."""
        return len(self.env) + len(self.hidden) + len(self.unset)

    def value(self, name: str) -> str | None:
        """Return what ``$name`` gives; None when it is not known."""
        if self.filled_by is not None:
            return self.filled_by.value(name)
        setting = self.setting(name)
        if setting is not None:
            return setting.text
        if name in self.unset:
            return ""
        if self.cleared or not self.environment_known:
            return None
        if name == "PWD":
            return self.cwd
        if name == "HOME" and self.home_reset:
            return None
        return self.base(name)

    def choices(self, word: Word) -> tuple[str, ...]:
        """Return the values of a word that holds a loop's variable; nothing when one is not known."""
        for name in word.variables:
            setting = self.setting(name)
            if setting is not None and setting.choices:
                texts = [word.resolve(partial(self._instead, name, one)) for one in setting.choices]
                return (
                    tuple(text for text in texts if text is not None) if None not in texts else ()
                )
        return ()

    def _instead(self, name: str, text: str, asked: str) -> str | None:
        return text if asked == name else self.value(asked)

    def setting(self, name: str) -> Setting | None:
        """Return what the script itself has set a variable to."""
        return self.hidden.get(name) or self.env.get(name)

    def is_exported(self, name: str) -> bool:
        """Tell whether a plain assignment to ``name`` changes the environment."""
        if self.exports_all or name in self.env or name in ("HOME", "PATH"):
            return True
        return not self.cleared and name not in self.unset and self.base(name) is not None

    def with_variable(
        self, name: str, setting: Setting, exported: bool | None = None
    ) -> ShellState:
        """Set a variable; without ``exported``, as a plain assignment does it."""
        if exported is None:
            exported = self.is_exported(name)
        if len(self.env) + len(self.hidden) >= _MAX_VARIABLES:
            return self.forgotten()
        unset = self.unset - {name} if name in self.unset else self.unset
        if not exported:
            return replace(self, hidden={**self.hidden, name: setting}, unset=unset)
        hidden = self.hidden
        if name in hidden:
            hidden = {key: value for key, value in hidden.items() if key != name}
        return replace(self, env={**self.env, name: setting}, hidden=hidden, unset=unset)

    def forgotten(self) -> ShellState:
        """Return the state when any variable may have been set to anything."""
        nothing: dict[str, Setting] = {}
        return replace(
            self, env=nothing, hidden=nothing, unset=frozenset(), environment_known=False
        )

    def without_variable(self, name: str) -> ShellState:
        """Unset a variable."""
        if len(self.unset) >= _MAX_VARIABLES:
            return self.forgotten()
        return replace(
            self,
            env={key: value for key, value in self.env.items() if key != name},
            hidden={key: value for key, value in self.hidden.items() if key != name},
            unset=self.unset | {name},
        )

    def moved(self, path: str | None) -> ShellState:
        """Change the directory; ``path`` may be relative, None is not known."""
        return replace(self, cwd=joined(self.cwd, path))


def joined(cwd: str | None, path: str | None) -> str | None:
    """Return where ``path`` leads from ``cwd``."""
    if path is None or (cwd is None and not path.startswith("/")):
        return None
    return posixpath.normpath(posixpath.join(cwd or "/", path)).replace("//", "/")


def merge(one: ShellState, other: ShellState) -> ShellState:
    """Return what is known when either of two ways may have been taken."""
    if one is other:
        return one
    env = dict(_merged(one.env, other.env))
    for name in one.unset ^ other.unset:
        if name not in env:
            env[name] = Setting(None, _span(one, other, name))
    return replace(
        other,
        env=env,
        hidden=dict(_merged(one.hidden, other.hidden)),
        unset=one.unset & other.unset,
        environment_known=one.environment_known and other.environment_known,
        exports_all=one.exports_all or other.exports_all,
        cwd=one.cwd if one.cwd == other.cwd else None,
    )


def _merged(one: Mapping[str, Setting], other: Mapping[str, Setting]) -> dict[str, Setting]:
    result: dict[str, Setting] = {}
    for name in {**one, **other}:
        first, second = one.get(name), other.get(name)
        setting = second or first
        assert setting is not None
        same = first is not None and second is not None and first.text == second.text
        result[name] = setting if same else Setting(None, setting.span)
    return result


def _span(one: ShellState, other: ShellState, name: str) -> Span:
    setting = one.env.get(name) or other.env.get(name)
    return setting.span if setting else Span(0, 0)
