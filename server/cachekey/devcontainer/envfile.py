"""The files of variables that a service names by ``env_file``, as far as they lie in the workspace.

Source: compose-spec, *env_file*; docs.docker.com, *Environment files syntax*.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from cachekey.devcontainer.paths import within
from cachekey.devcontainer.settings import Read, Setting, Variable, plain, since_override

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)\Z")
_MOST_FILES = 16
_EXAMPLES = (".env", ".env.example", ".env.sample", ".env.template", ".env.dist", "example.env")
"""Files beside the first compose file that give its variables values, or show which ones to give."""


def set_by_project(name: str, folder: str, read: Read) -> bool:
    """Tell whether the project itself gives Compose a variable: a ``.env``, or its example, has it.

    ``folder`` is that of the first compose file.
    """
    texts = (read(posixpath.join(folder, file)) for file in _EXAMPLES)
    return any(_sets(line, name) for text in texts for line in (text or "").splitlines())


def _sets(line: str, name: str) -> bool:
    """Tell whether a line gives a variable a value, or shows in a comment how to."""
    head, equals, _ = line.partition("=")
    words = head.replace("#", " ").split()
    return bool(equals) and words in ([name], ["export", name])


def read_env_files(
    settings: tuple[Setting, ...], folders: Mapping[str, str], read: Read
) -> tuple[dict[str, Variable], bool]:
    """Return their variables, each at the place that names its file, and whether all could be read.

    What is not there, ``required: false`` or not, may be made before Compose starts.
    """
    found: dict[str, Variable] = {}
    complete = True
    named = [(s, item) for s in since_override(settings) for item in s.node.elements or (s.node,)]
    for number, (setting, item) in enumerate(named):
        written = item.string("path") if item.kind == "mapping" else item.text
        path = within(folders.get(setting.path), plain(written))
        text = read(path) if path is not None and number < _MOST_FILES else None
        if text is None:
            complete = False
            continue
        for name, value in _variables(text):
            found[name] = Variable(name, value, setting.path, item.span)
    return found, complete


def _variables(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield names and values; ``None`` for a value that is put together from others."""
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        name, value = match[1], match[2].rstrip()
        quote = value[:1] if value[:1] in ("'", '"') else ""
        if quote:
            value = value[1:].partition(quote)[0]
        else:
            value = re.split(r"\s#", value)[0].rstrip()
        yield name, None if "$" in value and quote != "'" else value
