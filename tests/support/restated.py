"""The key of every cache mount, stated a second time: the judge of fixes, which shares no code with them.

It is small because it says only what was proven of BuildKit: how lines are joined, flags are split and
values are expanded, and that the key is the id or else the cleaned target, with what `from` or an owner
add. A mount that the builder would refuse has no key. What no file tells is a symbol, equal to itself.
"""

from __future__ import annotations

import csv
import posixpath
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field

PLATFORM = {
    f"{side}{part}"
    for side in ("TARGET", "BUILD")
    for part in ("ARCH", "OS", "PLATFORM", "VARIANT")
}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAMES = {"dst": "target", "destination": "target", "src": "source", "readonly": "ro", "rw": "ro"}
NAMES |= {"readwrite": "ro"}
KNOWN = {"type", "id", "target", "source", "from", "sharing", "uid", "gid", "mode", "ro", "env"}
_HEREDOC = re.compile(r"(?<!<)<<(-?)([\"']?)([A-Za-z_]\w*)\2")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^{}]*))?\})")
_FROM = re.compile(r"(?i)\A(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?\s*\Z")


@dataclass(frozen=True)
class Instruction:
    """One instruction on one line. ``places`` tells where each character of ``text`` stands."""

    word: str
    text: str
    places: tuple[int, ...]
    escape: str = "\\"

    @property
    def rest(self) -> str:
        """Return what stands behind the keyword."""
        return self.text.strip()[len(self.word) :].strip()


@dataclass(frozen=True)
class Cache:
    """A cache mount: where its flag begins, and by what two of them are one; None when refused."""

    path: str
    offset: int
    key: Hashable


@dataclass
class Stage:
    """What is known in a stage: variables, and of which stage or image it is the same base."""

    base: Hashable
    image: str
    variables: dict[str, str] = field(default_factory=dict)


def instructions(text: str) -> list[Instruction]:
    """Split a Dockerfile as BuildKit does: continuations joined, comments and empty lines left out."""
    lines, found = text.removeprefix("\ufeff"), []
    shift = len(text) - len(lines)
    escape = "`" if re.match(r"(?i)(?:#\s*\w+\s*=.*\n)*#\s*escape\s*=\s*`", lines) else "\\"
    joined: list[str] = []
    places: list[int] = []
    waiting: list[tuple[str, bool]] = []
    at = shift
    for line in lines.splitlines(keepends=True):
        start, at = at, at + len(line)
        body = line.rstrip("\r\n")
        if waiting:
            end, tabs = waiting[0]
            if (body.lstrip("\t") if tabs else body) == end:
                waiting.pop(0)
            continue
        if body.lstrip().startswith("#") or not body.strip():
            continue
        more = re.search(rf"{re.escape(escape)}[ \t]*\Z", body)
        part = body[: more.start()] if more else body
        joined.append(part)
        places += range(start, start + len(part))
        if not more:
            found.append(_instruction("".join(joined), tuple(places), escape))
            if found[-1].word in ("RUN", "COPY", "ADD"):
                waiting = [(m[3], bool(m[1])) for m in _HEREDOC.finditer(found[-1].text)]
            joined, places = [], []
    if joined:
        found.append(_instruction("".join(joined), tuple(places), escape))
    return found


def _instruction(text: str, places: tuple[int, ...], escape: str) -> Instruction:
    word = text.split(None, 1)[0].upper() if text.strip() else ""
    return Instruction(word, text, places, escape)


def flags(item: Instruction) -> Iterator[tuple[int, str]]:
    """Yield the flags of a RUN: where each stands, and what the builder reads of it."""
    text = item.text
    at = text.upper().index("RUN") + 3
    while True:
        at += len(text[at:]) - len(text[at:].lstrip())
        if not text.startswith("--", at) or text[at : at + 3].rstrip() == "--":
            return
        start, word, quote = at, "", ""
        while at < len(text) and (quote or not text[at].isspace()):
            char = text[at]
            if char == item.escape and at + 1 < len(text):
                at += 1
                word += text[at]
            elif char in "\"'" and quote in ("", char):
                quote = "" if quote else char
            else:
                word += char
            at += 1
        yield item.places[start], word


def caches(path: str, text: str) -> list[Cache]:
    """Return the cache mounts of a Dockerfile in their order."""
    found: list[Cache] = []
    globals_: dict[str, str] = {}
    stages: list[tuple[str, Stage]] = []
    for number, item in enumerate(instructions(text)):
        stage = stages[-1][1] if stages else None
        if item.word == "FROM" and (match := _FROM.match(item.rest)):
            stages.append(((match[2] or "").lower(), _begun(path, match[1], globals_, stages)))
        elif item.word in ("ARG", "ENV"):
            _declare(item, stage, globals_)
        elif item.word == "RUN":
            for offset, flag in flags(item):
                if flag.startswith("--mount="):
                    stage = stage or Stage("", "")
                    options = _options(flag.removeprefix("--mount="))
                    if options is not None and options.get("type", "bind").lower() == "cache":
                        found.append(Cache(path, offset, _key(options, stage, stages)))
        if stages and item.word not in ("FROM", "ARG"):
            # Whatever stands in a stage makes it another base than the one it began as.
            stages[-1][1].base = (path, number)
    return found


def _begun(
    path: str, image: str, globals_: Mapping[str, str], stages: list[tuple[str, Stage]]
) -> Stage:
    name = _VARIABLE.sub(lambda m: globals_.get(m[1] or m[2], "") or (m[4] or ""), image)
    parent = next((stage for known, stage in reversed(stages) if known == name.lower()), None)
    if parent is not None:
        return Stage(parent.base, parent.image, dict(parent.variables))
    stage = Stage(f"image {name}", name)
    stage.variables["\0globals"] = ""
    return stage


def _declare(item: Instruction, stage: Stage | None, globals_: dict[str, str]) -> None:
    values = stage.variables if stage is not None else globals_
    words = re.findall(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|\S)+""", item.rest)
    if item.word == "ENV" and words and "=" not in words[0]:
        words = [f"{words[0]}={' '.join(words[1:])}"]
    for word in words:
        name, given, value = word.partition("=")
        value = re.sub(r"""["']|\\(?=.)""", "", value)
        if given:
            values[name] = _expanded(value, stage or Stage("", "", dict(values)))
        elif item.word == "ARG" and stage is not None and name not in values:
            values[name] = f"<{name}>" if name in PLATFORM else globals_.get(name, "")


def _expanded(value: str, stage: Stage) -> str:
    def known(match: re.Match[str]) -> str:
        name, operator, word = match[1] or match[2], match[3] or "", match[4] or ""
        told = stage.variables.get(name)
        if told is None:
            # Nobody sets those in an image; what else an image sets is not told here.
            empty = name in PLATFORM or stage.image == "scratch"
            told = PATH if name == "PATH" else "" if empty else f"<{name} of {stage.image}>"
        if "-" in operator:
            return told if told and not told.startswith(f"<{name} of") else word
        return (word if told else "") if "+" in operator else told

    return _VARIABLE.sub(known, value)


def _options(text: str) -> dict[str, str] | None:
    """Return the options of a mount, the last of each; None for what the builder does not read."""
    try:
        fields = next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration):
        return None
    found: dict[str, str] = {}
    for item in fields:
        name, given, value = item.partition("=")
        name = NAMES.get(name.lower(), name.lower())
        if not given and name != "ro":
            return {"type": found.get("type", "bind"), "wrong": name}
        found[name] = value
    return found


def _key(
    options: Mapping[str, str], stage: Stage, stages: list[tuple[str, Stage]]
) -> Hashable | None:
    if set(options) - KNOWN or "$" in options.get("from", ""):
        return None
    told = {name: _expanded(value, stage) for name, value in options.items() if name != "from"}
    target = posixpath.normpath(re.sub(r"\A//+", "/", told.get("target", "")) or ".")
    origin = options.get("from", "").lower()
    base: Hashable = "" if origin in ("", "scratch") else f"image {origin}"
    for name, known in stages:
        if name and name == origin:
            base = known.base
    owner: Hashable = ""
    source = posixpath.normpath("/" + told.get("source", ""))
    if source in ("/", "//") and any(name in told for name in ("uid", "gid", "mode")):
        try:
            owner = (
                _number(told.get("uid", "0")),
                _number(told.get("gid", "0")),
                int(told.get("mode", "755"), 8) % 0o1000
                if "<" not in told.get("mode", "")
                else "?",
            )
        except ValueError:
            return None
    return (told.get("id") or target, base, owner)


def _number(text: str) -> int | str:
    return text if "<" in text else int(text)
