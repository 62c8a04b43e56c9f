"""The builder, the Dev Containers tools or Compose cannot read the file from here on.

What stands in front of this place and behind it is checked all the same, as far as it can be told
apart. Where a file asks for more work than any file that people write, an information says how far
it was read.

A file without FROM that has another name than `Dockerfile` or `Containerfile` may be a piece that a script
puts together with others: it gets an information.

Of a compose file, which a devcontainer.json must name, only what Compose surely refuses is told: a text
that is no YAML for it, and a key that one mapping has twice.

## Bad
```dockerfile
FROM python:3.13
RUN <<EOF
pip --version
```

## Good
```dockerfile
FROM python:3.13
RUN <<EOF
pip --version
EOF
```

## Source
BuildKit `frontend/dockerfile/parser`; the `dockerfile` package runs it in the tests. compose-go `loader`
and its YAML reader; Docker Compose runs in the tests.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import Finding, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.yaml import refusal
from cachekey.text import Span

_BUILT = frozenset(("dockerfile", "containerfile"))
"""Names that the builder takes unasked."""


@rule("CK002", "unreadable-file", Severity.ERROR, Fixable.NEVER)
def check(document: Dockerfile | Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report what the parsers of the builder, the Dev Containers tools and Compose refuse."""
    if isinstance(document, Dockerfile):
        yield from _dockerfile(document, ctx)
    elif isinstance(document, ComposeFile):
        yield from _compose(document, ctx)
    elif document.problem is not None:
        unread = document.problem
        yield ctx.finding(unread.span, unread.message, missing=True)


def _dockerfile(document: Dockerfile, ctx: Context) -> Iterator[Finding]:
    no_from = document.stages[0].instruction.implied if document.stages else False
    # A piece that a script puts together with others: nobody builds it as it is.
    piece = no_from and posixpath.basename(ctx.path).lower() not in _BUILT
    severity = Severity.INFORMATION if piece else None
    keywords = {item.keyword_span for item in document.tree.instructions}
    refused = set[Span]()
    for problem in document.tree.problems:
        if not _is_template(document, problem.span):
            message = f"BuildKit cannot read this: {problem.message}"
            refused.add(problem.span)
            yield ctx.finding(
                problem.span,
                message,
                missing=True,
                common=problem.span in keywords,
                severity=severity,
            )
    if no_from:
        written = (step.instruction for step in document.stages[0].steps)
        first = next((item for item in written if item.keyword != "ARG"), None)
        if first is None or first.keyword_span in refused or _is_template(document, first.span):
            return
        message = "The file has no FROM: the builder wants one in front of this instruction"
        if piece:
            message += ", unless the file is a piece of another one"
        yield ctx.finding(first.keyword_span, message, missing=True, common=True, severity=severity)


def _compose(document: ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report the first thing for which Compose refuses a file that a devcontainer.json names."""
    refused = refusal(document.source, document.documents)
    if refused is None or _has_template(document.source.text):
        return
    if next(ctx.project.composers(document.path), None) is None:
        return
    first = refused.first
    related = [ctx.related(first, "It is written here first")] if first is not None else []
    message = f"Compose refuses this file: {refused.message}"
    yield ctx.finding(refused.span, message, missing=True, related=related)


def _is_template(document: Dockerfile, span: Span) -> bool:
    """Tell whether a line holds what a template engine fills in before anybody builds it."""
    source = document.source
    start = source.line_span(source.line_of(span.start)).start
    end = source.line_span(source.line_of(max(span.start, span.end - 1))).end
    return _has_template(source.slice(Span(start, end)))


def _has_template(text: str) -> bool:
    return any(mark in text for mark in ("{{", "{%", "<%", "#{"))
