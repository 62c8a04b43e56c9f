"""File URIs to paths and back, for every character a file name may hold.

Paths are absolute and ``/``-separated on every system, with a lower-case drive letter on Windows.
"""

from __future__ import annotations

import os
import posixpath
import re
from urllib.parse import quote, unquote_to_bytes, urlsplit

_DRIVE = re.compile(r"/?[A-Za-z]:(?=/|$)")
# RFC 3986: what may stand in a path unescaped, less ':' (VS Code escapes it, others do not care).
_SAFE = "/-._~!$&'()*+,;=@"


def to_path(uri: str) -> str | None:
    """Return the path of a ``file:`` URI, ``None`` for every other scheme.

    >>> to_path("file:///work%20space/a%23b;c/Dockerfile")
    '/work space/a#b;c/Dockerfile'
    >>> to_path("file:///C%3A/app/Dockerfile")
    'c:/app/Dockerfile'
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file":
        return None
    # Clients that do not escape '?' and '#' mean them as part of the name.
    rest = "".join(
        (
            parts.path,
            f"?{parts.query}" if parts.query else "",
            f"#{parts.fragment}" if parts.fragment else "",
        )
    )
    path = _decoded(unquote_to_bytes(rest)).replace("\0", "")
    if parts.netloc and parts.netloc != "localhost":
        return f"//{parts.netloc}{normal(path)}"
    return normal(path)


def from_path(path: str) -> str:
    """Return the ``file:`` URI of an absolute path.

    >>> from_path("/work space/a#b/Dockerfile")
    'file:///work%20space/a%23b/Dockerfile'
    >>> from_path("c:/app/Dockerfile")
    'file:///c%3A/app/Dockerfile'
    """
    if path.startswith("//"):
        host, _, rest = path[2:].partition("/")
        return f"file://{host}/{_quote(rest)}"
    return f"file:///{_quote(path.lstrip('/'))}"


def normal(path: str) -> str:
    """Bring a path into the one spelling used here: ``/``, no ``..``, small drive letter."""
    if os.sep == "\\":
        path = path.replace("\\", "/")
    if match := _DRIVE.match(path):
        drive = match.group().lstrip("/").lower()
        return drive + posixpath.normpath("/" + path[match.end() :].lstrip("/"))
    return posixpath.normpath("/" + path.lstrip("/"))


def inside(path: str, root: str) -> str | None:
    """Return ``path`` relative to ``root``, or ``None`` when it is not below it."""
    if path == root:
        return ""
    prefix = root if root.endswith("/") else root + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def _quote(path: str) -> str:
    return quote(_encoded(path), safe=_SAFE)


def _decoded(data: bytes) -> str:
    try:
        return os.fsdecode(data)
    except UnicodeDecodeError:
        # Windows has names of UTF-16 only; what a client sends all the same keeps its name.
        return data.decode("utf-8", "surrogateescape")


def _encoded(path: str) -> bytes:
    try:
        return path.encode("utf-8", "surrogateescape") if os.sep == "\\" else os.fsencode(path)
    except UnicodeEncodeError:
        # Half of a pair, which UTF-16 may hold.
        return path.encode("utf-8", "surrogatepass")


def same(uri: str) -> str:
    """Return the spelling under which two URIs of one document are equal.

    >>> same("file:///c%3A/app/Dockerfile") == same("file:///C:/app/Dockerfile")
    True
    """
    path = to_path(uri)
    return uri if path is None else f"file://{path}"
