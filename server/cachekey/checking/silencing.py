"""Comments for many findings at once: how a project adopts Cachekey without mending everything first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cachekey.checking.comments import ignore_here
from cachekey.finding import Finding
from cachekey.text import Edit, Span, apply_edits

_MOST_PASSES = 100
"""Each pass writes one code into each comment; no instruction has so many different findings."""


def silence(
    findings: Sequence[Finding],
    document: Callable[[str], Any],
    recheck: Callable[[Mapping[str, str]], Sequence[Finding]],
) -> tuple[dict[str, str], int]:
    """Write ``cachekey: ignore`` comments until none of the findings is left.

    ``document`` gives the present model of a file, ``recheck`` takes new texts and gives the findings
    that are left. Returns the new texts and the number of findings that no comment can silence.
    """
    texts: dict[str, str] = {}
    pending = list(findings)
    for _ in range(_MOST_PASSES):
        changed = _pass(pending, document)
        if not changed:
            break
        left = list(recheck(changed))
        if len(left) >= len(pending):
            # Comments that silence nothing are not kept; nor would the next ones help.
            break
        texts |= changed
        pending = left
    return texts, len(pending)


def _pass(findings: Sequence[Finding], document: Callable[[str], Any]) -> dict[str, str]:
    """Return the texts with one more comment, or one more code, at each place."""
    edits: dict[str, dict[Span, Edit]] = {}
    models: dict[str, Any] = {}
    for finding in findings:
        path = finding.path
        if path not in models:
            models[path] = document(path)
        edit = ignore_here(models[path], finding) if models[path] is not None else None
        if edit is not None:
            edits.setdefault(path, {}).setdefault(edit.span, edit)
    return {
        path: apply_edits(models[path].source.text, sorted(found.values(), key=_start))
        for path, found in edits.items()
    }


def _start(edit: Edit) -> int:
    return edit.span.start
