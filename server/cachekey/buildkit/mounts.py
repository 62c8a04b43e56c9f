"""``RUN --mount`` flags: their options with defaults filled in, and why the builder refuses one.

Source: BuildKit ``instructions/commands_runmount.go``.
"""

from __future__ import annotations

import posixpath
import re

from cachekey.buildkit.keys import Key
from cachekey.buildkit.scope import Scope
from cachekey.record import cached_property, record
from cachekey.syntax.dockerfile.expand import Expansion
from cachekey.syntax.dockerfile.mountflag import Field
from cachekey.syntax.dockerfile.parse import Flag
from cachekey.text import Span

TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
SHARING = ("shared", "private", "locked")
CANONICAL = {
    "src": "source",
    "dst": "target",
    "destination": "target",
    "readonly": "ro",
    "readwrite": "rw",
}
"""Other spellings of an option; BuildKit's documentation calls the right side by these names."""
KEYS = (
    *("type", "from", "source", "target", "readonly", "id", "sharing", "required", "size"),
    *("mode", "uid", "gid", "src", "dst", "destination", "ro", "rw", "readwrite", "env"),
)
BUILDAH_KEYS = (
    *(
        "z",
        "u",
        "relabel",
        "nosuid",
        "nodev",
        "noexec",
        "suid",
        "dev",
        "exec",
        "chown",
        "idmap",
    ),
    *("shared", "rshared", "private", "rprivate", "slave", "rslave", "bind-propagation"),
    *("bind-nonrecursive", "no-dereference", "consistency"),
)
"""Options that only Buildah and Podman take: they label, or set flags of the mount, and join no key.

In lower case, as fields are read; Buildah tells `Z` and `z` apart.

Source: Buildah ``internal/volumes/volumes.go`` (``GetBindMount``, ``GetCacheMount``).
"""
BOOLS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
DIGITS = re.compile(r"[0-9]+\Z")


@record(frozen=True)
class MountError:
    """Why BuildKit refuses a mount, in its own words."""

    message: str
    span: Span
    suggestion: str | None = None
    """What was probably meant, for the text at ``span``."""
    when: str = "build"
    """When the builder notices: ``parse`` (always), ``build`` (when the stage is built), ``run``."""
    correction: str | None = None
    """What was meant where the builder suggests nothing."""

    def __str__(self) -> str:
        return (
            f"{self.message} (did you mean {self.suggestion}?)" if self.suggestion else self.message
        )


@record(frozen=True)
class Option:
    """One option of a mount that counts: the last of its name."""

    name: str
    """Canonical name: target, source, ro, rw; the others as they are."""
    field: Field
    value: Expansion
    """The expanded value; ``true`` for a bare ``ro`` or ``rw``."""

    @property
    def span(self) -> Span:
        """Return the span of the value, or of the whole option when it is bare."""
        return self.field.value.span() if self.field.value is not None else self.field.span


@record(frozen=True, eq=False)
class Mount:
    """One ``--mount`` of a RUN. Spans are offsets in the Dockerfile."""

    flag: Flag
    fields: tuple[Field, ...]
    options: dict[str, Option]
    """Options in force by canonical name."""
    type: str
    type_known: bool
    scope: Scope
    error: MountError | None
    used: frozenset[str]
    """Names of all variables in the values."""
    undefined: frozenset[str]
    """Those among them that nothing defines: they expand to nothing."""
    key: Key | None = None
    """The cache's key; None for another type, or for a mount that is refused."""

    @property
    def span(self) -> Span:
        """Return the span of the whole flag."""
        return self.flag.span

    @property
    def is_cache(self) -> bool:
        """Tell whether this is a cache mount that the builder accepts."""
        return self.key is not None

    def value(self, name: str) -> Expansion | None:
        """Return the expanded value of an option by its canonical name."""
        option = self.options.get(name)
        return option.value if option else None

    def _text(self, name: str, default: str = "") -> str:
        value = self.value(name)
        return value.text if value else default

    @property
    def id(self) -> str:
        """Return the expanded ``id``, empty when it is absent."""
        return self._text("id")

    @cached_property
    def target(self) -> Expansion:
        """Return the expanded target as written, empty when it is absent."""
        return self.value("target") or Expansion.literal("")

    @cached_property
    def target_span(self) -> Span:
        """Return where the target stands, or the whole flag when it is absent."""
        option = self.options.get("target")
        return option.span if option else self.flag.span

    @cached_property
    def directory(self) -> str | None:
        """Return the absolute directory inside the RUN, None when it is not known."""
        if not self.target.known:
            return None
        target = self.target.text
        if not target.startswith("/"):
            workdir = self.scope.workdir
            if workdir is None or not workdir.known:
                return None
            target = posixpath.join("/", workdir.text, target)
        return "/" + posixpath.normpath(target).lstrip("/")

    @property
    def sharing(self) -> str:
        """Return the sharing mode in force."""
        return self._text("sharing", "shared").lower()

    @property
    def source(self) -> str:
        """Return the cleaned ``source``, ``/`` when it is absent."""
        return posixpath.normpath("/" + self._text("source")).replace("//", "/")

    @property
    def origin(self) -> str:
        """Return ``from=``, empty when it is absent or names nothing."""
        return self._text("from")

    @cached_property
    def readonly(self) -> bool:
        """Tell whether the RUN may only read; the later of ``ro`` and ``rw`` wins."""
        last: bool | None = None
        for field in self.fields:
            name = CANONICAL.get(field.key, field.key)
            if name in ("ro", "rw"):
                text = self.options[name].value.text if field.value is not None else "true"
                last = BOOLS.get(text, True) is (name == "ro")
        return (self.type not in ("cache", "tmpfs")) if last is None else last

    def number(self, name: str) -> int | None:
        """Return ``uid``, ``gid`` (decimal) or ``mode`` (octal) as a number, None when absent or open."""
        value = self.value(name)
        if value is None or not value.known or not DIGITS.match(value.text):
            return None
        return int(value.text, 8 if name == "mode" else 10)

    @property
    def uid(self) -> int | None:
        """Return the owner of a new volume: ``uid`` or root; None when a variable decides."""
        return 0 if "uid" not in self.options else self.number("uid")

    @property
    def gid(self) -> int | None:
        """Return the group of a new volume: ``gid`` or root's; None when a variable decides."""
        return 0 if "gid" not in self.options else self.number("gid")

    @property
    def is_open(self) -> bool:
        """Tell whether ``mode`` lets others than the owner write to a new volume, or may do so."""
        if "mode" not in self.options:
            return False
        number = self.number("mode") if self.error is None else None
        return number is None or number & 0o022 != 0

    @property
    def owner_options(self) -> tuple[Option, ...]:
        """Return those of ``uid``, ``gid`` and ``mode`` that are written."""
        return tuple(self.options[name] for name in ("uid", "gid", "mode") if name in self.options)
