"""Fitting a command line's words to the patterns of the data. Unknown words never decide."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from cachekey.budget import kept
from cachekey.knowledge.records import Command, Tool
from cachekey.knowledge.ways import Pattern
from cachekey.record import record

_GLOB = frozenset("*?[")


def matches(text: str, glob: str) -> bool:
    """Tell whether a text fits a glob; compiles nothing for a glob without wildcards."""
    return text == glob if _GLOB.isdisjoint(glob) else fnmatchcase(text, glob)


@kept(4096)
def pattern(text: str) -> Pattern:
    """Read a pattern: ``clean -modcache``, ``publish --no-restore``, ``cache prune !--ci``."""
    parts = text.split()
    words = tuple(part for part in parts if part[0] not in "-!")
    return Pattern(
        text,
        words,
        tuple(part for part in parts if part[0] == "-"),
        tuple(part[1:] for part in parts if part[0] == "!"),
        words[0] if words and _GLOB.isdisjoint(words[0]) else "",
    )


@record(frozen=True)
class CommandLine:
    """The words behind an executable, told apart; None stands for a word that is not known."""

    words: tuple[str | None, ...]
    """Words that are neither options nor an option's value."""
    word_places: tuple[int, ...]
    """Their indexes among all arguments."""
    options: tuple[tuple[int, str], ...]
    """Index among all arguments, and text, of each option."""
    args: tuple[str | None, ...]
    end: int
    """Index behind the last argument that is the tool's own (the rest is another program's)."""
    clusters: bool
    valued: frozenset[int] = frozenset()
    """Indexes of the options that took the next argument for their value."""


@lru_cache(maxsize=256)
def _valued(tool: Tool) -> frozenset[str]:
    """Return the options whose value is the next word."""
    ways = (way for cache in tool.caches for way in cache.moved_by)
    return frozenset(
        (
            *tool.value_flags,
            *tool.reads,
            *tool.writes,
            *tool.cwd_flags,
            *(way.flag for way in ways if way.flag),
        )
    )


def read_line(tool: Tool, command: Command, args: Sequence[str | None]) -> CommandLine:
    """Tell the words of a command line apart, by what the tool's options take."""
    values = _valued(tool)
    words: list[str | None] = []
    places: list[int] = []
    options: list[tuple[int, str]] = []
    valued: set[int] = set()
    index, end = 0, len(args)
    while index < end:
        text = args[index]
        if text == "--":
            end = index
            break
        if text is None or text in {"", "-"} or text[0] != "-":
            if words and _starts_program(command, tuple(words), options, tool.clusters):
                end = index
                break
            words.append(text)
            places.append(index)
        else:
            options.append((index, text))
            if text in values:
                if index + 1 < end:
                    valued.add(index)
                index += 1
        index += 1
    return CommandLine(
        tuple(words),
        tuple(places),
        tuple(options),
        tuple(args),
        end,
        tool.clusters,
        frozenset(valued),
    )


def _starts_program(
    command: Command,
    words: tuple[str | None, ...],
    options: list[tuple[int, str]],
    clusters: bool,
) -> bool:
    """Tell whether the words so far are one of ``runs``: what follows is another program's."""
    if not command.runs:
        return False
    line = CommandLine(words, (), tuple(options), (), 0, clusters)
    return any(
        item.words and len(item.words) <= len(words) and fits(item, line) is True
        for item in command.runs
    )


def has_option(option: str, line: CommandLine) -> int | None:
    """Return the argument index of an option, also one in a cluster or with ``=value``."""
    for index, text in line.options:
        if text == option or text.startswith(option + "=") or matches(text, option):
            return index
        short = len(option) == 2 and option[0] == "-" and option[1] != "-"
        if line.clusters and short and text[1:2] != "-" and option[1] in text[1:]:
            return index
    return None


def fits(item: Pattern, line: CommandLine) -> bool | None:
    """Tell whether a command line fits; None when an unknown word keeps us from knowing."""
    if item.text == "*":
        return True
    for option in item.absent:
        if has_option(option, line) is not None:
            return False
    for option in item.options:
        if has_option(option, line) is None:
            return False
    if not item.words:
        return not _is_detail(item, line) if item.options else not line.words
    for want, word in zip(item.words, line.words, strict=False):
        if word is None:
            return None
        if not matches(word, want):
            return False
    return len(line.words) >= len(item.words)


def _is_detail(item: Pattern, line: CommandLine) -> bool:
    """Tell whether an option says something of a subcommand, and does not stand in its place.

    ``cargo --version`` only speaks; ``cargo install cross --version 0.2.5`` installs.
    """
    return bool(line.words) and any(has_option(one, line) in line.valued for one in item.options)


def any_fits(items: Sequence[Pattern], line: CommandLine) -> bool | None:
    """Tell whether one of the patterns fits; None when none does but one might."""
    if not items:
        return False
    first = line.words[0] if line.words else None
    answer: bool | None = False
    for item in items:
        if item.first and first is not None and item.first != first:
            continue
        fit = fits(item, line)
        if fit:
            return True
        if fit is None:
            answer = None
    return answer
