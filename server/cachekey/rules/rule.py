"""What a rule is: its metadata, the level at which it looks, and the context it is handed."""

from __future__ import annotations

import inspect
import posixpath
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import field
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Any, get_type_hints

from cachekey.budget import MOST_RELATED
from cachekey.edits.everywhere import settled
from cachekey.finding import FileEdit, Finding, Fix, Reach, Related, Safety, Severity, Wish
from cachekey.record import cached_property, record
from cachekey.text import Edit, Span

if TYPE_CHECKING:
    from cachekey.commands.read import Invocation
    from cachekey.workspace.project import Project
    from cachekey.workspace.settings import Settings
    from cachekey.workspace.summary import Summary


class Fixable(str, Enum):
    """Whether a rule's findings come with a fix."""

    ALWAYS = "always"
    SOMETIMES = "sometimes"
    NEVER = "never"


@record(frozen=True)
class Rule:
    """One check and all that is said about it; its documentation is its module's docstring."""

    code: str
    name: str
    severity: Severity
    fixable: Fixable
    level: type
    """The record type the check wants to see: the annotation of its first parameter."""
    check: Callable[[Any, Context], Iterator[Finding]] = field(repr=False)
    doc: str = field(repr=False)
    across: Callable[[Summary, Context], Iterator[Finding]] | None = field(default=None, repr=False)
    """The part of the check that looks at other files: it sees the summary of its own file only,
    and asks the project's index. Its context has no document."""

    @cached_property
    def summary(self) -> str:
        """Return the first line of the documentation, without its full stop."""
        return self.doc.strip().splitlines()[0].rstrip(".")


def rule(
    code: str,
    name: str,
    severity: Severity,
    fixable: Fixable,
    across: Callable[[Summary, Context], Iterator[Finding]] | None = None,
) -> Callable[[Callable[[Any, Context], Iterator[Finding]]], Rule]:
    """Turn a check function into a :class:`Rule`; its first parameter's annotation is the level."""

    def decorate(check: Callable[[Any, Context], Iterator[Finding]]) -> Rule:
        module = sys.modules[check.__module__]
        first = next(iter(inspect.signature(check).parameters))
        level = get_type_hints(check)[first]
        return Rule(code, name, severity, fixable, level, check, module.__doc__ or "", across)

    return decorate


def capital(text: str) -> str:
    """Begin a sentence with words that elsewhere stand in one."""
    return text[:1].upper() + text[1:]


def _one_line(text: str) -> str:
    """Put a sentence on one line, whatever stands in the names that it quotes."""
    return " ".join(text.splitlines()) if not text.isprintable() else text


@record(frozen=True)
class Context:
    """What a check may ask for while it looks at one record of one document."""

    project: Project
    path: str
    """The document under check."""
    document: Any
    """Its model: a ``Dockerfile`` or a ``Devcontainer``; None for the part across files."""
    settings: Settings
    rule: Rule

    def finding(
        self,
        span: Span,
        message: str,
        *,
        fixes: Sequence[Fix] | Callable[[], Iterable[Fix]] = (),
        related: Iterable[Related] = (),
        severity: Severity | None = None,
        unnecessary: bool = False,
        missing: bool = False,
        cause: Hashable = None,
        common: bool = False,
    ) -> Finding:
        """Make a finding of this rule at ``span`` of the document under check.

        ``fixes`` is best a function, called when somebody asks how to mend it; of ``related`` only
        the first places count. Of findings with one ``cause`` the first speaks for all.
        """
        return Finding(
            self.path,
            self.rule.code,
            self.rule.name,
            severity or self.rule.severity,
            span,
            _one_line(message),
            tuple(islice(related, MOST_RELATED)),
            fixes if callable(fixes) else lambda: fixes,
            unnecessary,
            missing,
            cause,
            common,
        )

    def fix(
        self,
        title: str,
        *edits: Edit | FileEdit | Callable[[], Iterable[Edit | FileEdit]],
        safety: Safety = Safety.SAFE,
        preferred: bool = False,
        reason: str = "",
        apart: bool = False,
        reach: Reach | None = None,
    ) -> Fix:
        """Make a fix; a plain :class:`Edit` is one in the document under check.

        A function among ``edits`` is called when somebody asks for them: a title is often read, a
        light bulb seldom pressed. ``reach`` names the caches that are changed all over the workspace;
        ``{places}`` in the title stands for where their mounts are. ``apart`` tells that the title
        says which cache becomes another one.
        """

        def write() -> Iterator[FileEdit]:
            for item in edits:
                yield from self._placed(item() if callable(item) else (item,))

        # What is missing at the end of a half-typed file nobody can know: edits go astray there.
        half_typed = getattr(self.document, "half_typed", False)
        title = _one_line(title)
        safety = Safety.MANUAL if half_typed else safety
        fix = Fix(title, write, safety, preferred, reason, apart=apart, reach=reach)
        return self._settled(fix)

    def naming(
        self,
        title: str,
        wish: Wish,
        write: Callable[[str], Iterable[Edit | FileEdit]],
        reach: Reach | None = None,
        apart: bool = False,
    ) -> Fix:
        """Make the preferred fix that names a cache; ``{id}`` in the title stands for the name.

        ``write`` makes the edits, given the name. Which name is free only the whole workspace can
        tell: where this is not known yet, the fix keeps its wish.
        """
        project = self.project

        def edits() -> Iterator[FileEdit]:
            return self._placed(write(project.name_for(wish)))

        fix = Fix(title, edits, preferred=True, apart=apart, wish=wish, reach=reach)
        return self._settled(fix)

    def _settled(self, fix: Fix) -> Fix:
        asks = fix.wish is not None or fix.reach is not None
        return settled(self.project, self.path, fix) if asks and self.project.whole else fix

    def _placed(self, edits: Iterable[Edit | FileEdit]) -> Iterator[FileEdit]:
        for edit in edits:
            yield edit if isinstance(edit, FileEdit) else FileEdit(self.path, edit)

    def script_line(self, item: Invocation) -> list[Related]:
        """Point at the line of a script of the build context that a command stands in, if it does."""
        if item.script is None:
            return []
        line = item.script
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), line.path))
        return [Related(path, line.span, f"Line {line.line + 1} of {line.path}")]

    def related(self, span: Span, message: str, path: str | None = None) -> Related:
        """Point at another place, in this document unless ``path`` names another."""
        return Related(path or self.path, span, message)
