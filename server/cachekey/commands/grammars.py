"""Programs whose words follow rules of their own: tar, zip, unzip, dd, find, git.

Sources: the manuals of GNU tar, Info-ZIP, dd(1p), find(1), git-clone(1).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping

from cachekey.commands.effect import Effect, Value, absolute, line_of
from cachekey.commands.invocation import Invocation
from cachekey.knowledge.programs import Kind, Program, programs
from cachekey.syntax.shell.parse import Word

Found = tuple[Effect, ...] | None

_TAR_VALUED = frozenset(
    (
        *("-f", "--file", "-C", "--directory", "-T", "--files-from", "-X", "--exclude-from", "-I"),
        *("--exclude", "--use-compress-program", "--strip-components", "--transform", "--xform"),
        *("--owner", "--group", "--mode", "--mtime", "-b", "-K", "-N", "-V", "-g", "-L"),
    )
)


def _tar(item: Invocation, program: Program) -> Found:
    """Read tar: an option may stand anywhere, the first word may hold options without a dash."""
    words = [(word, item.resolve(word, globs=True)) for word in item.args]
    if any(text is not None and text.startswith("--to-command") for _, text in words):
        return None
    mode, archive, at = "", Value(item.named[1], "-"), 0
    place: str | None = "."
    members: list[tuple[Word, str | None]] = []
    while at < len(words):
        word, text = words[at]
        at += 1
        if text is None or not (text.startswith("-") or at == 1) or text == "-":
            unknown = text is None or place is None
            members.append((word, None if unknown else posixpath.join(place or "", text or "")))
            continue
        if text.startswith("--"):
            name, equals, value = text.partition("=")
            mode += {"--create": "c", "--extract": "x", "--get": "x", "--append": "r"}.get(name, "")
            taken = Value(word, value) if equals else None
            names = [name] if name in _TAR_VALUED else []
        else:
            names, taken = _cluster(text.lstrip("-"), word)
            mode += text.lstrip("-")
        for name in names:
            if taken is None and at < len(words):
                taken = Value(*words[at])
                at += 1
            if taken is None:
                return None
            if name in ("-f", "--file"):
                archive = taken
            elif name in ("-C", "--directory"):
                place = None if taken.text is None else posixpath.join(place or "", taken.text)
            elif name in ("-T", "--files-from"):
                members.append((taken.word, None))
            taken = None
    return tuple(_archived(item, mode, archive, place, members))


def _cluster(letters: str, word: Word) -> tuple[list[str], Value | None]:
    """Return the options of ``xzf`` that take a value, and a value written into the word."""
    names: list[str] = []
    for index, letter in enumerate(letters):
        if f"-{letter}" not in _TAR_VALUED:
            continue
        names.append(f"-{letter}")
        rest = letters[index + 1 :]
        if rest and letter in "CTXIbKNVgL" and not word.written.lstrip("'\"").startswith(letters):
            return names, Value(word, rest)
    return names, None


def _archived(
    item: Invocation,
    mode: str,
    archive: Value,
    place: str | None,
    members: list[tuple[Word, str | None]],
) -> Iterator[Effect]:
    file = None if archive.text == "-" else absolute(item, archive.text)
    if "x" in mode:
        if archive.text != "-":
            yield Effect("reads", file, None, archive.word)
        yield Effect("writes", absolute(item, place), None, None, True)
    elif "c" in mode or "r" in mode or "u" in mode:
        for word, path in members:
            yield Effect("copies", absolute(item, path), file, word, True)
        if file is not None:
            yield Effect("writes", file, None, archive.word)
    elif archive.text != "-":
        yield Effect("reads", file, None, archive.word)


def _zip(item: Invocation, program: Program) -> Found:
    line = line_of(item, program.takes_value)
    if not line.operands:
        return None
    archive, *members = line.operands
    to = absolute(item, archive.text)
    copied = [Effect("copies", absolute(item, v.text), to, v.word, True) for v in members]
    return (*copied, Effect("writes", to, None, archive.word))


def _unzip(item: Invocation, program: Program) -> Found:
    line = line_of(item, program.takes_value)
    if not line.operands:
        return ()
    place = next(iter(line.values.get("-d", ())), None)
    first = line.operands[0]
    to = absolute(item, "." if place is None else place.text)
    read = Effect("reads", absolute(item, first.text), None, first.word)
    return (read, Effect("writes", to, None, None, True))


def _dd(item: Invocation, program: Program) -> Found:
    paths: dict[str, tuple[str | None, Word]] = {}
    for word in item.args:
        split = word.split_assignment()
        if split is None:
            return None
        paths[split[0]] = (absolute(item, split[1].resolve(item.state.value)), word)
    read, written = paths.get("if"), paths.get("of")
    if read and written:
        return (
            Effect("copies", read[0], written[0], read[1]),
            Effect("writes", written[0], None, written[1]),
        )
    if written:
        return (Effect("writes", written[0], None, written[1]),)
    return (Effect("reads", read[0], None, read[1]),) if read else ()


_FIND_PLAIN = frozenset(
    (
        *("-print", "-print0", "-ls", "-depth", "-d", "-xdev", "-mount", "-H", "-L", "-P", "-o"),
        *("-and", "-a", "-or", "-not", "!", "(", ")", "-noleaf", "-follow"),
    )
)
_FIND_HARMLESS = frozenset(("-mindepth", "-regextype"))
_EXECS = frozenset(("-exec", "-execdir", "-ok", "-okdir"))


def _find(item: Invocation, program: Program) -> Found:
    texts = [item.resolve(word, globs=True) for word in item.args]
    start = 0
    while start < len(texts) and texts[start] in ("-H", "-L", "-P"):
        start += 1
    paths: list[tuple[Word | None, str | None]] = []
    at = start
    while at < len(texts) and not (texts[at] or "x").startswith(("-", "(", "!", "\\")):
        paths.append((item.args[at], absolute(item, texts[at])))
        at += 1
    paths = paths or [(None, item.cwd)]
    effects: list[Effect] = []
    part = False
    while at < len(texts):
        text = texts[at]
        at += 1
        if text == "-delete":
            effects += [Effect("removes", path, None, word, True, part) for word, path in paths]
        elif text in _EXECS:
            stop = next((n for n in range(at, len(texts)) if texts[n] in (";", "+", "\\;")), None)
            found = _executed(item, texts[at:stop], paths, part)
            if found is None:
                return None
            effects += found
            at = len(texts) if stop is None else stop + 1
        elif text in _FIND_HARMLESS:
            at += 1
        elif text not in _FIND_PLAIN:
            # A test: what it leaves out nobody can weigh, but for `-type f`, which leaves folders.
            files = text == "-type" and at < len(texts) and texts[at] in ("f", "f,l")
            part = part or not files
            at += files
    effects += [Effect("reads", path, None, word, True) for word, path in paths]
    return tuple(effects)


def _executed(
    item: Invocation,
    words: list[str | None],
    paths: list[tuple[Word | None, str | None]],
    part: bool,
) -> list[Effect] | None:
    """Return what ``find -exec PROGRAM ... {}`` does to what is found."""
    program = programs().get(posixpath.basename(words[0] or "")) if words else None
    if program is None or program.grammar:
        return None
    kind: Kind = program.operands or "reads"
    to = None
    if kind in ("copies", "moves", "links"):
        named = [words[n + 1] for n, w in enumerate(words[:-1]) if w in program.into]
        to = absolute(item, named[0] if named else words[-1])
    return [Effect(kind, path, to, word, True, part) for word, path in paths]


def _git(item: Invocation, program: Program) -> Found:
    line = line_of(item, program.takes_value)
    place = next((v.text for v in line.values.get("-C", ())), ".")
    command, *words = [value.text for value in line.operands] or [None]
    if command == "clone":
        folder: str | None = words[1] if len(words) > 1 else None
        if folder is None and words and words[0]:
            folder = posixpath.basename(words[0].rstrip("/")).removesuffix(".git")
        path = None if place is None or folder is None else posixpath.join(place, folder)
        return (Effect("writes", absolute(item, path), None, None, True),)
    if command in ("config", "rev-parse", "describe", "log", "status", "ls-remote", "version"):
        return ()
    return (Effect("writes", absolute(item, place), None, None, True),)


GRAMMARS: Mapping[str, Callable[[Invocation, Program], Found]] = {
    "tar": _tar,
    "zip": _zip,
    "unzip": _unzip,
    "dd": _dd,
    "find": _find,
    "git": _git,
}
"""By the word in the data: take the call and its program, give the effects or None."""
