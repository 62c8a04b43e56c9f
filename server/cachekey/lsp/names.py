"""Which documents are ours and which files are watched; the names that clients know us by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cachekey.kinds import Kind

WATCHED = (
    "**/{Dockerfile,Containerfile,dockerfile,containerfile}{,.*,-*,_*}",
    "**/*.{Dockerfile,dockerfile,Containerfile,containerfile}",
    "**/{devcontainer.json,.devcontainer.json,devcontainer-feature.json}",
    "**/{compose,docker-compose}{,.*,-*,_*}.{yml,yaml}",
    # A devcontainer.json may name a compose file as it likes.
    "**/.devcontainer/**/*.{yml,yaml}",
    "**/.github/workflows/*.{yml,yaml}",
    "**/action.{yml,yaml}",
    "**/{*bake*.{hcl,json},*gitlab-ci*.{yml,yaml}}",
    "**/{{M,m,GNUm}akefile,*.mk,{J,j,.J,.j}ustfile,*.just,*.sh,*.bash}",
    # A settings file may extend one of any name.
    "**/*.toml",
)
"""Globs of the files whose change on disk matters, as LSP writes them."""

FIX_ALL = "source.fixAll.cachekey"
ACTION_KINDS = ("quickfix", "refactor.rewrite", "source.fixAll", FIX_ALL)
EXPLAIN = "cachekey.explainRule"
APPLY = "cachekey.apply"
"""Applies what was chosen; our own client sends it."""
RULES = "cachekey.rules"
"""Answers with code, name and summary of every rule."""
CHECK = "cachekey.check"
MAP = "cachekey.cacheMap"
"""Answers with a page for our own client to show, one for each folder."""
CACHES = "cachekey.takeCaches"
"""Takes what ``cachekey builder`` has told our own client, and answers with a page of it."""
PROOF = "cachekey.takeProof"
"""The same of ``cachekey prove``."""
COPY = "cachekey.copy"
"""A command of our own client: puts a text into the clipboard."""
SHOW = "cachekey.showMounts"
"""A command of our own client: shows places that a lens speaks of."""
SILENCE = "cachekey.silence"
"""A command of clients that let the user choose (``experimental.cachekey.silence``)."""
REQUEST_FAILED = -32803
"""The protocol's number for a request that was fine and still has no result; its words are for users."""
TRIGGERS = ("=", ",", "-", '"', "{", "[")
"""Characters that make an editor ask for completions."""

_LANGUAGES = frozenset(("dockerfile", "docker", "containerfile"))


def document_kind(path: str, language: str = "") -> Kind | None:
    """Tell what kind of document this is, or that it is none of ours.

    The editor's language id speaks for a Dockerfile whatever its name; no editor has one for
    devcontainer.json, so there the name decides.
    """
    # The patterns of names are compiled after ``initialize`` has been answered.
    from cachekey.kinds import kind_of

    known = kind_of(path)
    if known is None and language.lower() in _LANGUAGES:
        return "dockerfile"
    if known is None and language.lower() == "dockercompose":
        return "compose"
    return known
