"""What is in force behind an instruction: variables, user, working directory, accounts.

Follows BuildKit ``dockerfile2llb/convert.go`` (``dispatchEnv``, ``dispatchArg``, ``dispatchUser``,
``dispatchWorkdir``) and ``llb/meta.go``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from cachekey.budget import Budget
from cachekey.buildkit.scope import (
    NAMESPACE_ARG,
    PLATFORM_ARGS,
    ROOT,
    Account,
    BaseImage,
    Origin,
    Scope,
    User,
    Variable,
)
from cachekey.commands.accounts import resolve_user
from cachekey.dockerfile.records import Stage
from cachekey.knowledge import standard_users
from cachekey.record import record, replace
from cachekey.syntax.dockerfile.expand import Expansion, Unknown, expand
from cachekey.syntax.dockerfile.namevalue import arg_pairs, env_pairs
from cachekey.syntax.dockerfile.parse import Instruction


@record(frozen=True)
class BuildOptions:
    """What the caller of the build decides: arguments, cache namespace, engine."""

    build_args: Mapping[str, str]
    namespace: str = ""
    engine: str = "buildkit"
    passed: frozenset[str] = frozenset()
    """Arguments that are passed with values that nobody knows."""
    left: frozenset[str] = frozenset()
    """Arguments that the build is known not to pass: without a default they are empty."""


class Scoping:
    """Carries a scope from one instruction to the next, and begins one for a stage."""

    def __init__(self, options: BuildOptions, escape: str, budget: Budget) -> None:
        """Take what the caller decides, the file's escape character and what the reading may cost."""
        self.options, self._escape, self._budget = options, escape, budget
        # The namespace is given to the builder as a build argument like any other.
        self.namespace = options.namespace or options.build_args.get(NAMESPACE_ARG, "")
        given = {NAMESPACE_ARG: self.namespace} if self.namespace else {}
        self._build_args = {**options.build_args, **given}
        self.globals: dict[str, Variable] = {}
        """The ARGs in front of the first FROM."""
        self.buildah = options.engine == "buildah"

    def expand(self, word: str, lookup_scope: Scope | None) -> Expansion:
        """Expand a word with what a scope has; without one, with what stands in front of the first FROM."""
        lookup = lookup_scope.lookup if lookup_scope is not None else self._global
        return expand(word, lookup, self._escape, self._budget)

    def _global(self, name: str) -> Expansion | Unknown | None:
        variable = self.globals.get(name)
        if variable is not None:
            return variable.value
        return self._platform(name)

    def _platform(self, name: str) -> Expansion | Unknown | None:
        if name not in PLATFORM_ARGS:
            return None
        given = self._build_args.get(name)
        return Expansion.literal(given) if given is not None else Unknown(name)

    def global_args(self, instruction: Instruction) -> None:
        """Take in an ARG in front of the first FROM."""
        for name, default in arg_pairs(instruction.args, self._escape):
            given = self._build_args.get(name.text)
            origin: Origin = "arg" if given is None else "build-arg"
            if given is not None:
                value = Expansion.literal(given)
            elif name.text in self.options.passed:
                value = _open(name.text)
            elif default is not None:
                value = self.expand(default.text, None)
            elif name.text in PLATFORM_ARGS:
                continue
            else:
                value = _open(name.text)
            self.globals[name.text] = Variable(name.text, value, origin, name.span())

    def start(self, base: BaseImage, parent: Stage | None) -> Scope:
        """Return what is in force behind a FROM; ``parent`` is the stage that it names, if it does."""
        if parent is not None:
            inherited = parent.end.variables
            if self.buildah:
                inherited = {k: v for k, v in inherited.items() if v.origin in ("env", "image")}
            own = replace(parent.end.base, span=base.span)
            return replace(parent.end, base=own, variables=inherited)
        outside = self._build_args if self.buildah else {}
        facts = base.facts
        if base.is_scratch:
            user, root = User("root", ROOT), Expansion.literal("/")
            return Scope(base, {}, user, root, None, {"root": ROOT}, outside, True)
        if facts is None:
            return Scope(base, accounts={"root": ROOT}, outside=outside)
        users = (*standard_users(facts.family), *facts.users)
        accounts = {"root": ROOT} | {
            item.name: Account(item.name, item.uid, item.gid, item.home)
            for item in users
            if item.name
        }
        variables = {
            name: Variable(
                name, _open(name) if value is None else Expansion.literal(value), "image"
            )
            for name, value in facts.env.items()
        }
        user = (
            replace(resolve_user(facts.user, accounts), span=None)
            if facts.user
            else User(None, None)
        )
        # What is only remembered must not make a mount refused.
        known = facts.workdir if facts.confidence.warns else None
        workdir = Expansion.literal(known) if known else None
        return Scope(base, variables, user, workdir, None, accounts, outside)

    def env(self, instruction: Instruction, scope: Scope) -> Scope:
        """Return what is in force behind an ENV."""
        self._budget.spend(len(scope.variables))
        variables = dict(scope.variables)
        for name, value in env_pairs(instruction.args, self._escape):
            key = self.expand(name.text, scope)
            # All values of one ENV are expanded with what was in force in front of it.
            expanded = self.expand(value.text, scope)
            variables[key.text] = Variable(key.text, expanded, "env", name.span())
        return replace(scope, variables=variables)

    def arg(self, instruction: Instruction, scope: Scope) -> Scope:
        """Return what is in force behind an ARG of a stage."""
        self._budget.spend(len(scope.variables))
        # Each is expanded with those in front of it.
        variables = dict(scope.variables)
        scope = replace(scope, variables=variables)
        for name, default in arg_pairs(instruction.args, self._escape):
            known = variables.get(name.text)
            if self.buildah and known is not None and known.origin in ("env", "image"):
                continue
            variable = self._arg_value(name.text, None if default is None else default.text, scope)
            if variable is not None:
                variables[name.text] = replace(variable, span=name.span())
        return scope

    def _arg_value(self, name: str, default: str | None, scope: Scope) -> Variable | None:
        given = self._build_args.get(name)
        if given is not None:
            return Variable(name, Expansion.literal(given), "build-arg")
        if name in self.options.passed:
            return Variable(name, _open(name), "build-arg")
        if default is not None:
            return Variable(name, self.expand(default, scope), "arg")
        outer = self.globals.get(name)
        if outer is not None:
            return outer
        platform = self._platform(name)
        if platform is not None:
            known = platform if isinstance(platform, Expansion) else _open(name)
            return Variable(name, known, "platform")
        # A bare ARG keeps what ENV or the parent stage set; otherwise only the caller can tell.
        if name in scope.variables:
            return None
        value = Expansion.literal("") if name in self.options.left else _open(name)
        return Variable(name, value, "arg")

    def user(self, instruction: Instruction, scope: Scope) -> Scope:
        """Return what is in force behind a USER."""
        value = self.expand(instruction.args.text, scope)
        if not value.known:
            return replace(scope, user=User(value.text, None, span=instruction.args.span()))
        self._budget.spend(len(scope.accounts))
        user = resolve_user(value.text, scope.accounts, complete=scope.accounts_complete)
        return replace(scope, user=replace(user, span=instruction.args.span()))

    def workdir(self, instruction: Instruction, scope: Scope) -> Scope:
        """Return what is in force behind a WORKDIR."""
        value = self.expand(instruction.args.text, scope)
        if not value.text.startswith(("/", "$")):
            if scope.workdir is None:
                return replace(scope, workdir=None)
            joined = posixpath.join(scope.workdir.text, value.text)
            value = Expansion(
                "/" + posixpath.normpath(joined).lstrip("/"),
                value.unresolved | scope.workdir.unresolved,
                value.undefined | scope.workdir.undefined,
            )
        elif value.known:
            value = replace(value, text="/" + posixpath.normpath(value.text).lstrip("/"))
        return replace(scope, workdir=value)


def _open(name: str) -> Expansion:
    """Return the value of a declared variable that only the caller of the build knows."""
    text = f"${{{name}}}"
    return Expansion(text, frozenset({name}), used=frozenset({name}), symbols=((0, len(text)),))
