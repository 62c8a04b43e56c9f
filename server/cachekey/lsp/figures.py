"""What is known of the builder that the client has asked: figures for lenses and hovers.

Nothing is asked from here, and all is forgotten when the server ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cachekey.lsp import uris
from cachekey.record import record
from cachekey.report.builder import ago, size, used_last

if TYPE_CHECKING:
    from cachekey.buildkit.mounts import Mount
    from cachekey.dockerfile.records import Dockerfile, Run


@record(frozen=True)
class _Cache:
    """One cache as it was when the builder was asked."""

    size: int
    used: str
    """ISO time; nothing where it is not told."""
    sure: bool


class Figures:
    """What is known of the builder's caches, until the window closes."""

    def __init__(self) -> None:
        self._builder = ""
        self._caches: dict[str, _Cache] = {}
        self._missing: frozenset[str] = frozenset()
        self._proofs: dict[str, dict[tuple[bytes, int], str]] = {}

    @property
    def builder(self) -> str:
        """Return the name of the builder that was asked last."""
        return self._builder

    def take_caches(self, document: Mapping[str, Any]) -> None:
        """Keep the figures of a ``builder`` document."""
        found: dict[str, list[_Cache]] = {}
        for cache in document["caches"]:
            keys = {str(mount["key"]) for mount in cache["mounts"]}
            told = _Cache(int(cache["size"]), used_last(cache), cache["match"] == "exact")
            for key in keys:
                found.setdefault(key, []).append(told)
            if len(keys) > 1:
                # It is the cache of one of them: of which, the builder does not tell.
                for key in keys:
                    found[key].append(told)
        self._caches = {key: told[0] for key, told in found.items() if len(told) == 1}
        self._missing = frozenset(str(mount["key"]) for mount in document["missing"])
        self._builder = str(document["builder"]["name"])

    def take_proof(self, uri: str, model: Dockerfile, proof: Mapping[str, Any]) -> None:
        """Keep what was proven of a document's mounts, each for the text that decides it."""
        known: dict[tuple[bytes, int], str] = {}
        mounts = {(run.instruction.first_line, str(m.key)): (run, m) for run, m in model.caches}
        for told in proof["mounts"]:
            found = mounts.get((told["run"], told["key"]))
            if found is not None and told["verdict"] != "unclear":
                known[_standing(model, *found)] = _proven(told)
        self._proofs[uris.same(uri)] = known
        self._builder = str(proof["builder"]["name"])

    def said(self, uri: str, model: Dockerfile, run: Run, mount: Mount) -> Iterator[str]:
        """Yield what the builder has told of a cache mount."""
        key = str(mount.key)
        if (cache := self._caches.get(key)) is not None:
            now = datetime.now(timezone.utc)
            used = f", last used {ago(cache.used, now)}" if cache.used else ""
            yield f"{'' if cache.sure else 'probably '}{size(cache.size)}{used}"
        elif key in self._missing:
            yield "no cache on the builder yet"
        proofs = self._proofs.get(uris.same(uri))
        if proofs and (proven := proofs.get(_standing(model, run, mount))):
            yield proven


def _standing(model: Dockerfile, run: Run, mount: Mount) -> tuple[bytes, int]:
    """Return by what a proof holds: a RUN does what it and the lines in front of it say."""
    text = model.source.text[: run.span.end]
    return sha256(text.encode("utf-8", "surrogatepass")).digest(), mount.span.start


def _proven(told: Mapping[str, Any]) -> str:
    if told["verdict"] == "works":
        return f"proven: {told['words']}, {size(told['bytes'])}"
    return f"proven: {told['verdict'].replace('-', ' ')}, {told['words']}"
