"""What is in force at one instruction of a stage: variables, user, working directory, shell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from cachekey.knowledge import Image
from cachekey.record import cached_property, record, replace
from cachekey.syntax.dockerfile.expand import Expansion, Unknown
from cachekey.text import Span

Origin = Literal["arg", "env", "image", "platform", "build-arg", "default"]

PLATFORM_ARGS = frozenset(
    f"{side}{part}"
    for side in ("BUILD", "TARGET")
    for part in ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
) | {"TARGETSTAGE"}
"""Arguments that BuildKit defines itself, globally; a stage sees one only after ``ARG NAME``.

Source: BuildKit ``dockerfile2llb/platform.go``, ``defaultArgs``.
"""

NAMESPACE_ARG = "BUILDKIT_CACHE_MOUNT_NS"
"""The build argument that sets the namespace. Source: BuildKit ``dockerui/config.go``."""

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""BuildKit gives every Linux stage this PATH when its image sets none (``system.DefaultPathEnv``)."""


@record(frozen=True)
class Variable:
    """One ENV or ARG in force. ``span`` is where it was last set, None outside the file."""

    name: str
    value: Expansion
    origin: Origin
    span: Span | None = None
    path: str | None = None
    """The document that holds ``span``, when it is not the Dockerfile itself."""


@record(frozen=True)
class Account:
    """A user that the image table or a ``useradd`` of the file tells about; None is unknown."""

    name: str | None
    uid: int | None
    gid: int | None
    home: str | None
    span: Span | None = None


ROOT = Account("root", 0, 0, "/root")


@record(frozen=True)
class User:
    """Who runs a RUN: what ``USER`` says, joined with what is known about accounts."""

    text: str | None
    """The value of USER as expanded; None when only the base image decides and it is unknown."""
    account: Account | None
    """The account behind it; None when nothing is known."""
    gid: int | None = None
    """The group that USER names by number."""
    span: Span | None = None
    """Where ``USER`` stands; None when the base image decides."""

    @property
    def name(self) -> str | None:
        """Return the login name, if it is known."""
        return self.account.name if self.account else None

    @property
    def uid(self) -> int | None:
        """Return the numeric id, if it is known."""
        return self.account.uid if self.account else None

    @property
    def home(self) -> str | None:
        """Return the home directory from the passwd entry, if it is known."""
        return self.account.home if self.account else None

    @property
    def is_root(self) -> bool | None:
        """Tell whether this is root; None when the user is not known at all."""
        if self.account is None:
            return None
        if self.account.uid is not None:
            return self.account.uid == 0
        return self.account.name == "root" if self.account.name else None

    @property
    def label(self) -> str:
        """Name the user for a message."""
        if self.account is None:
            return self.text or "an unknown user"
        if self.name and self.uid is not None and self.uid != 0:
            return f"{self.name} ({self.uid})"
        return self.name or str(self.uid)


@record(frozen=True)
class BaseImage:
    """What a stage starts from."""

    reference: Expansion
    """The name behind FROM, expanded with the global ARGs."""
    span: Span
    facts: Image | None = None
    """What the image table knows; None for an unknown image, a stage or scratch."""
    may_be_stage: bool = False
    """A variable decides which image it is, and a stage of the file would do: it hands on its variables."""

    @property
    def is_scratch(self) -> bool:
        """Tell whether the stage starts from nothing; behind an ARG it is a placeholder for some image."""
        return self.reference.text == "scratch" and not self.reference.used


@record(frozen=True)
class Scope:
    """Everything in force in front of one instruction; shared between instructions that change nothing."""

    base: BaseImage
    variables: Mapping[str, Variable] = field(default_factory=dict)
    user: User = field(default_factory=lambda: User(None, None))
    workdir: Expansion | None = None
    """Absolute working directory; None when the base image decides and is unknown."""
    shell: tuple[str, ...] | None = None
    """The words of SHELL; None means the builder's ``/bin/sh -c``."""
    accounts: Mapping[str, Account] = field(default_factory=dict)
    """Accounts by name, from the image table and from the file's own useradd and adduser."""
    outside: Mapping[str, str] = field(default_factory=dict)
    """Build arguments that are seen without ARG, as Buildah has it; empty for BuildKit."""
    accounts_complete: bool = False
    """No other account can exist: the stage starts from scratch or from a fully known image."""

    def with_variable(self, variable: Variable) -> Scope:
        """Return the scope behind an ENV or ARG; the later of the two wins, as BuildKit does it."""
        return replace(self, variables={**self.variables, variable.name: variable})

    def lookup(self, name: str) -> Expansion | Unknown | None:
        """Tell what BuildKit's own expansion sees for ``$name``.

        None means that nothing defines it, so that it expands to nothing; Unknown that an
        external base image may define it. Platform arguments are never inherited from an image.
        """
        variable = self.variables.get(name)
        if variable is not None:
            return variable.value
        if name in self.outside:
            return Expansion.literal(self.outside[name])
        if name == "PATH":
            return Expansion.literal(DEFAULT_PATH) if self.base.is_scratch else Unknown(name)
        if name in PLATFORM_ARGS:
            return Unknown(name) if self.base.may_be_stage else None
        if self.base.is_scratch:
            return None
        facts = self.base.facts
        if name == "HOME" and facts is not None and facts.confidence.warns:
            return None
        return Unknown(name)

    def shell_variable(self, name: str) -> str | None:
        """Tell what a command of this RUN sees for ``$name``; None when that is not known."""
        variable = self.variables.get(name)
        if variable is not None:
            return variable.value.text if variable.value.known else None
        if name == "HOME":
            return self.home
        return None

    @cached_property
    def home(self) -> str | None:
        """Return HOME as a command of this RUN sees it, None when it is not known.

        ENV HOME wins; otherwise runc takes the passwd entry of the user.
        """
        variable = self.variables.get("HOME")
        if variable is not None:
            return variable.value.text if variable.value.known and variable.value.text else None
        return self.user.home
