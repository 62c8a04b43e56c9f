"""What a finding is called from one run to the next, however its lines move."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from cachekey.finding import Finding
from cachekey.text import Source

_NOTHING = Source("")


def fingerprints(
    findings: Iterable[Finding], sources: Mapping[str, Source], name: Callable[[str], str]
) -> Iterator[str]:
    """Yield a name for each finding: of its rule, its file and the text that it stands on.

    Neither the line nor the message is in it: lines move, and messages speak of lines. Of equal ones
    in a file each has its number, in the order of the findings. ``name`` turns a document's name into
    the path that stays the same wherever the run is started.
    """
    seen: Counter[str] = Counter()
    for finding in findings:
        text = " ".join(sources.get(finding.path, _NOTHING).slice(finding.span).split())
        parts = "\0".join((finding.code, name(finding.path), text))
        value = hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        seen[value] += 1
        yield f"{value}:{seen[value]}"
