"""Installers that a script fetches and runs at once, in any of their spellings.

``curl … | sh``, ``sh -c "$(curl …)"``, ``bash <(curl …)`` and ``curl -o i.sh … && sh i.sh`` come to
the same: a program from elsewhere, which knows nothing of the project and its directories.
"""

from __future__ import annotations

from collections.abc import Sequence

from cachekey.commands.familiar import SHELLS
from cachekey.commands.invocation import Invocation
from cachekey.commands.shellstate import joined
from cachekey.commands.substituted import asked

FETCHERS = ("curl", "wget")


def is_download(written: str) -> bool:
    """Tell whether a word, as written, is what a download prints."""
    return asked(written) in FETCHERS


def addresses(items: Sequence[Invocation], index: int) -> tuple[str, ...]:
    """Return the URLs that a shell's neighbours download, where ``is_fetched`` says that it runs them."""
    around = items[max(0, index - 1) : index + 2]
    fetching = (item for item in around if item.program in FETCHERS)
    return tuple(text for item in fetching for text in item.texts if text and "://" in text)


def is_fetched(items: Sequence[Invocation], index: int) -> bool:
    """Tell whether one of several calls in a row is a shell that runs what a neighbour downloads."""
    item = items[index]
    if item.program not in SHELLS or not item.opaque:
        return False
    before = items[index - 1] if index else None
    behind = items[index + 1] if index + 1 < len(items) else None
    if behind is not None and behind.program in FETCHERS and behind.simple.substitution:
        return None in item.texts
    if before is None or before.program not in FETCHERS:
        return False
    named = [text for text in item.texts if text and not text.startswith("-")]
    if before.in_pipeline and item.in_pipeline:
        # Behind `-s` stand the words of what comes by the pipe.
        return not named or "-s" in item.texts
    return bool(named) and named[0] in before.texts


def is_cloned(items: Sequence[Invocation], index: int) -> bool:
    """Tell whether one of several calls runs a file out of a repository that an earlier one clones.

    ``git clone https://… /tmp/x && /tmp/x/install.sh`` is an installer from elsewhere, too.
    """
    item = items[index]
    named = [text for text in item.texts if text and not text.startswith("-")]
    file = (named[0] if named else None) if item.program in SHELLS else item.path
    path = joined(item.cwd, file) if file is not None else None
    if path is None or not item.opaque:
        return False
    return any(
        one.program == "git"
        and "clone" in one.texts
        and one.texts[-1]
        and "://" not in one.texts[-1]
        and path.startswith(f"{joined(one.cwd, one.texts[-1])}/")
        for one in items[:index]
    )
