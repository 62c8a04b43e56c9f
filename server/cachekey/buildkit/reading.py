"""Reads a ``RUN --mount`` flag: what it comes to, or BuildKit's first complaint.

Follows BuildKit ``instructions/commands_runmount.go`` (``parseMount``) and
``dockerfile2llb/convert_runmount.go`` (``dispatchRunMounts``), field by field in their order, so
that the first complaint here is the builder's.
"""

from __future__ import annotations

import posixpath
import re

from cachekey.budget import Budget
from cachekey.buildkit.mounts import (
    BOOLS,
    CANONICAL,
    DIGITS,
    KEYS,
    SHARING,
    TYPES,
    Mount,
    MountError,
    Option,
)
from cachekey.buildkit.scope import Scope
from cachekey.suggest import nearest
from cachekey.syntax.dockerfile.expand import Expansion, expand
from cachekey.syntax.dockerfile.flags import PLACEHOLDER
from cachekey.syntax.dockerfile.mountflag import Field, parse_mount
from cachekey.syntax.dockerfile.parse import Flag
from cachekey.text import Span

_OCTAL = re.compile(r"[0-7]+\Z")
_SUFFIX = re.compile(r"(?:[kmgtp]i?b?|b)?\Z", re.IGNORECASE)
_NUMBER = re.compile(r"\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z")


def read_mount(
    flag: Flag,
    scope: Scope,
    escape: str = "\\",
    more: tuple[str, ...] = (),
    budget: Budget | None = None,
) -> Mount:
    """Read one ``--mount`` flag in its scope; the key is joined by the stage reader.

    ``escape`` is the one that expansion goes by; ``more`` are options that another builder takes.
    """
    parsed = parse_mount(flag.value or flag.name.slice(len(flag.name.text)))
    reader = _Reader(scope, escape, budget)
    if flag.value is None:
        reader.fail("missing a value on flag: --mount", flag.span, when="parse")
    elif parsed.problem is not None:
        message = parsed.problem.message
        if not message.startswith("failed to parse"):
            message = f"failed to parse csv mounts: {message}"
        reader.fail(message, parsed.problem.span, when="parse")
    for item in parsed.fields:
        if item.key not in more:
            reader.read(item)
    if reader.error is None:
        reader.check_whole(flag)
    if flag.value is not None and PLACEHOLDER.search(flag.value.text):
        # What a template has yet to write is no mistake, and has no key.
        reader.error, reader.type_known = None, False
    return Mount(
        flag,
        parsed.fields,
        reader.options,
        reader.type,
        reader.type_known,
        scope,
        reader.error,
        frozenset(reader.used),
        frozenset(reader.undefined),
    )


class _Reader:
    """Reads the fields in order and keeps the first complaint."""

    def __init__(self, scope: Scope, escape: str, budget: Budget | None) -> None:
        self.scope, self.escape, self.budget = scope, escape, budget
        self.type, self.type_known = "bind", True
        self.options: dict[str, Option] = {}
        self.error: MountError | None = None
        self.used: set[str] = set()
        self.undefined: set[str] = set()

    def fail(
        self, message: str, span: Span, suggestion: str | None = None, when: str = "build"
    ) -> None:
        if self.error is None:
            self.error = MountError(message, span, suggestion, when)

    def read(self, item: Field) -> None:
        name = CANONICAL.get(item.key, item.key)
        if item.value is None:
            self._bare(item, name)
            return
        raw = _as_bytes(item.value.text)
        if item.key == "from" and "$" in raw[:-1]:
            message = "'from' doesn't support variable expansion, define alias stage instead"
            self.fail(message, item.value.span(), when="parse")
            return
        value = expand(raw, self.scope.lookup, self.escape, self.budget)
        self.used |= value.used
        self.undefined |= value.undefined
        if value.error:
            self.fail(value.error, item.value.span())
            return
        if item.key not in KEYS:
            guess = nearest(item.key, KEYS)
            message = f"unexpected key '{item.key}' in '{_written(item)}'"
            self.fail(message, item.name.span(), guess)
            return
        if value.known:
            self._check(item, name, value.text)
        elif name == "type":
            self.type_known = False
        # The last one wins, across spellings; a later one also comes later in the order.
        self.options.pop(name, None)
        self.options[name] = Option(name, item, value)

    def _bare(self, item: Field, name: str) -> None:
        if name in ("ro", "rw"):
            self.options.pop(name, None)
            self.options[name] = Option(name, item, Expansion.literal("true"))
        elif name == "required":
            self._for_type(item, ("secret", "ssh"))
        else:
            message = f"invalid field '{_written(item)}' must be a key=value pair"
            self.fail(message, item.span)

    def _for_type(self, item: Field, types: tuple[str, ...]) -> bool:
        # BuildKit looks at the type read so far: `size=1g,type=tmpfs` is refused.
        if self.type_known and self.type not in types:
            message = f"unexpected key '{item.key}' for mount type '{self.type}'"
            self.fail(message, item.name.span())
            return False
        return True

    def _check(self, item: Field, name: str, text: str) -> None:
        assert item.value is not None
        span = item.value.span() if item.value.text else item.span
        if name == "type":
            self.type, self.type_known = text.lower(), True
            if self.type not in TYPES:
                message = f'unsupported mount type "{text}"'
                self.fail(message, span, nearest(text, TYPES))
        elif name in ("ro", "rw"):
            if text not in BOOLS:
                self.fail(f"invalid value for {item.key}: {text}", span)
        elif name == "required":
            if self._for_type(item, ("secret", "ssh")) and text not in BOOLS:
                self.fail(f"invalid value for {item.key}: {text}", span)
        elif name == "size":
            if self._for_type(item, ("tmpfs",)) and not _is_size(text):
                self.fail(f"invalid value for {item.key}: {text}", span)
        elif name == "sharing":
            if text.lower() not in SHARING:
                message = f'unsupported sharing value "{text}"'
                self.fail(message, span, nearest(text, SHARING))
        elif name in ("uid", "gid", "mode"):
            digits, base = (_OCTAL, 8) if name == "mode" else (DIGITS, 10)
            if not digits.match(text) or int(text, base) >= 1 << 32:
                self.fail(f"invalid value {text} for {name}", span)

    def check_whole(self, flag: Flag) -> None:
        """Make the checks that come behind the last field."""
        if not self.type_known:
            return
        if self.type in ("bind", "tmpfs"):
            for name in ("mode", "uid", "gid"):
                if name in self.options:
                    message = f'{name} not allowed for "{self.type}" type mounts'
                    self.fail(message, self.options[name].field.span)
        if self.type == "secret":
            self._check_secret(flag)
        if "sharing" in self.options and self.type != "cache" and self._text("sharing"):
            message = f"invalid cache sharing set for {self.type} mount"
            self.fail(message, self.options["sharing"].field.span)
        if self.type in ("bind", "cache", "tmpfs"):
            self._check_target(flag)

    def _text(self, name: str) -> str:
        return self.options[name].value.text if name in self.options else ""

    def _check_secret(self, flag: Flag) -> None:
        if self._text("from"):
            self.fail("secret mount should not have a from", self.options["from"].field.span)
        elif self._text("sharing"):
            message = "secret mount should not define sharing"
            self.fail(message, self.options["sharing"].field.span)
        elif not (self._text("source") or self._text("target") or self._text("id")):
            self.fail("invalid secret mount. one of source, target required", flag.span)
        elif self._text("source") and self._text("id"):
            self.fail("both source and id can't be set", self.options["id"].field.span)

    def _check_target(self, flag: Flag) -> None:
        option = self.options.get("target")
        target = option.value if option else Expansion.literal("")
        if not target.known:
            return
        span = option.span if option and option.value.text else flag.span
        text = target.text
        if not text.startswith("/"):
            workdir = self.scope.workdir
            if workdir is None or not workdir.known:
                return
            joined = posixpath.normpath(posixpath.join("/", workdir.text, text))
            if joined.strip("/") == "":
                self.fail('invalid mount target "/"', span)
            text = joined
        elif text == "/":
            self.fail('invalid mount target "/"', span)
        cleaned = "/" + posixpath.normpath(text).lstrip("/")
        if cleaned == "/":
            self.fail(f'invalid mount target "{text}": it is the root directory', span, when="run")
        elif cleaned == "/proc" or cleaned.startswith("/proc/"):
            message = f'"{cleaned}" cannot be mounted because it is inside /proc'
            self.fail(message, span, when="run")


def _as_bytes(text: str) -> str:
    """Return a flag's text as BuildKit's flag splitter hands it on: each byte is a character.

    So ``id=é`` is stored as ``Ã©``, and never equals a variable that holds ``é``.
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _written(item: Field) -> str:
    return item.name.text if item.value is None else f"{item.name.text}={item.value.text}"


def _is_size(text: str) -> bool:
    """Tell whether docker/go-units RAMInBytes reads ``text``."""
    cut = max(text.rfind(char) for char in "0123456789. ")
    if cut < 0:
        return False
    number = text[:cut] if text[cut] == " " else text[: cut + 1]
    return bool(_NUMBER.match(number)) and bool(_SUFFIX.match(text[cut + 1 :]))
