"""What the inputs of a workflow's step say: lists, paths of the repository, ``NAME=value`` lines."""

from __future__ import annotations

import posixpath
import re

from cachekey.builds.flags import pair_of
from cachekey.builds.invocation import Said
from cachekey.builds.places import Place, place
from cachekey.builds.steps import Step, fill, lines_of

DEFAULT_CONTEXT = re.compile(r"\{\{\s*defaultContext\s*\}\}(?::(.*))?\Z")
_OWN_TREE = re.compile(r"\$\{\{\s*github\.workspace\s*\}\}/?")
_HOSTED_TREE = re.compile(r"/home/runner/work/([^/]+)/\1(?:/|\Z)")
"""Where GitHub's own machines check the repository out: its name, twice."""
Places = tuple[str, ...]
"""Folders of a runner in which this repository lies; the empty one is where a job begins."""


def in_tree(places: Places, text: str | None) -> str | None:
    """Return a path of the runner's folder as one of the repository."""
    if text is None:
        return None
    cleaned = posixpath.normpath(text)
    for folder in places:
        if not folder:
            return text
        if cleaned == folder:
            return "."
        if cleaned.startswith(f"{folder}/"):
            return cleaned[len(folder) + 1 :]
    return None


def tree_input(step: Step, name: str) -> Said | None:
    """Return an input that is a path; the runner's own folder is the repository."""
    said = step.inputs.get(name)
    raw = step.raw.get(name)
    if said is not None and said.text is None and raw is not None:
        text = _OWN_TREE.sub("", raw.text) or "."
        return fill(text, raw.span() if step.here else step.span, step.scope)
    if said is not None and said.text is not None and (hosted := _HOSTED_TREE.match(said.text)):
        return Said(said.text[hosted.end() :] or ".", said.span, said.open)
    return said


def placed(context: Said | None, file: Said | None, places: Places) -> Place:
    """Return the folder and the Dockerfile that a context and a file come to."""
    if (context is not None and context.text is None) or (file is not None and file.text is None):
        if file is not None and file.text is not None:
            return Place(None, place("", ".", in_tree(places, file.text), beside=False).dockerfile)
        return Place(None, None)
    written = context.text if context is not None else "{{defaultContext}}"
    match = DEFAULT_CONTEXT.match(written or "{{defaultContext}}")
    name = file.text if file is not None else None
    if match is not None:
        # Fetched from the repository itself: the file is looked for in the context.
        return place("", match.group(1) or ".", name, beside=True)
    if name is not None and (name := in_tree(places, name)) is None:
        return Place(None, None)
    inside = in_tree(places, written)
    return place("", inside, name, beside=False)


def listed(step: Step, name: str, separators: str = ",") -> tuple[Said, ...]:
    """Return a list: a line each, and at commas where they are no part of an entry."""
    said, raw = step.inputs.get(name), step.raw.get(name)
    if said is None or raw is None:
        return ()
    if said.text is None or "${{" in raw.text or not step.here:
        texts = [] if said.text is None else re.split(r"[\n,]" if separators else r"\n", said.text)
        kept = [Said(text.strip(), said.span, said.open) for text in texts if text.strip()]
        return tuple(kept) if said.text is not None else (said,)
    found: list[Said] = []
    for line in lines_of(raw):
        for part in lines_of(line, ",") if separators else (line,):
            found.append(Said(part.text, part.span().fixed))
    return tuple(found)


def pairs(step: Step, name: str) -> tuple[tuple[tuple[str, Said], ...], bool]:
    """Return the ``NAME=value`` lines of an input, and whether there may be more."""
    raw = step.raw.get(name)
    found: dict[str, Said] = {}
    loose = False
    for line in lines_of(raw) if raw is not None else ():
        span = line.span() if step.here else step.span
        if line.text.startswith("#"):
            continue
        filled = fill(line.text, span, step.scope)
        if pair_of(found, filled, line.text):
            loose = True
    return tuple(found.items()), loose
