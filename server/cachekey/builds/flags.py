"""The words behind ``docker build``, ``buildx bake``, ``compose build`` and their kin.

Source: ``docker buildx build --help`` and ``bake --help`` of 0.38, ``podman build --help``,
``depot build --help``: flags that take a word, and what the words mean for keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cachekey.builds.invocation import Said
from cachekey.syntax.shell.parse import Word

_VALUED = frozenset(
    """-f --file -t --tag --build-arg --build-context --target --platform --cache-to --cache-from
    --builder -o --output --secret --ssh --label --network --progress --iidfile --metadata-file
    --add-host --allow --annotation --attest --cgroup-parent --no-cache-filter --provenance --sbom
    --shm-size --ulimit -m --memory --memory-swap --cpu-period --cpu-quota -c --cpu-shares
    --cpuset-cpus --cpuset-mems --isolation --security-opt --call --policy -v --volume --format
    --jobs --arch --os --variant --manifest --authfile --ignorefile --userns --creds --env --from
    --project --token --set --call --list -p --project-directory --env-file --profile
    --project-name --parallel --ansi --metadata --registry --build-platform --context -H --host
    --config --log-level --cap-add --cap-drop --device --dns --hooks-dir --pid --runtime
    --squash-all --timestamp --name --save-tag --push-to --scale --timeout --exit-code-from
    --attach --wait-timeout""".split()  # noqa: SIM905
)
_SHOWS = (
    "--print",
    "--list",
    "--list-targets",
    "--list-variables",
    "--check",
    "--help",
    "--dry-run",
)
_FILE = ("-f", "--file")
_NAMED_VARIABLE = re.compile(r"""["']?([A-Za-z_]\w*)=""")
_BAG = re.compile(r"""["']?\$""")


@dataclass
class Line:
    """What one command line says of a build."""

    files: list[Said] = field(default_factory=list)
    args: dict[str, Said] = field(default_factory=dict)
    contexts: dict[str, Said] = field(default_factory=dict)
    target: Said | None = None
    platforms: list[Said] = field(default_factory=list)
    cache_from: list[Said] = field(default_factory=list)
    cache_to: list[Said] = field(default_factory=list)
    builder: Said | None = None
    sets: list[Said] = field(default_factory=list)
    """``--set`` of Bake."""
    folder: Said | None = None
    """``--project-directory`` of Compose."""
    profiles: list[Said] = field(default_factory=list)
    """``--profile`` of Compose."""
    words: list[Said] = field(default_factory=list)
    """What is no flag."""
    shows: bool = False
    """It only tells what it would build."""
    loose: bool = False
    """A variable may hold further flags."""


def read_line(words: Sequence[tuple[Word, str | None]]) -> Line:
    """Read the words behind the command; each comes with its value, None where nobody knows it."""
    line = Line()
    waiting = iter(words)
    for word, text in waiting:
        written = word.written.strip("\"'")
        if text is None and not written.startswith("-"):
            line.loose = line.loose or bool(_BAG.match(word.written))
            line.words.append(Said(None, word.span.fixed))
            continue
        shown = text if text is not None else written
        if not shown.startswith("-") or shown == "-":
            line.words.append(Said(text, word.span.fixed))
            continue
        name, equals, rest = shown.partition("=")
        line.shows = line.shows or name in _SHOWS
        if not name.startswith("--") and len(name) > 2 and name[:2] in _FILE:
            # -fDockerfile
            name, equals, rest = name[:2], "=", shown[2:]
        if equals:
            _set(line, name, Said(rest if text is not None else None, word.span.fixed), rest)
        elif name in _VALUED:
            value, said = next(waiting, (None, None))
            if value is not None:
                # The stars of `--set *.platform=…` are Bake's own.
                said = value.pattern if said is None and name == "--set" else said
                _set(line, name, Said(said, value.span.fixed), value.written)
    return line


def _set(line: Line, name: str, said: Said, written: str) -> None:
    if name in _FILE:
        line.files.append(said)
    elif name in ("--build-arg", "--build-context"):
        pair_of(line.args if name == "--build-arg" else line.contexts, said, written)
    elif name == "--target":
        line.target = said
    elif name == "--platform":
        line.platforms += _parts(said)
    elif name == "--cache-from":
        line.cache_from.append(said)
    elif name == "--cache-to":
        line.cache_to.append(said)
    elif name == "--builder":
        line.builder = said
    elif name == "--set":
        line.sets.append(said)
    elif name == "--profile":
        line.profiles.append(said)
    elif name == "--project-directory":
        line.folder = said


def pair_of(into: dict[str, Said], said: Said, written: str) -> bool:
    """Note a ``NAME=value``; return True when a variable tells even the name."""
    text = said.text
    if text is not None:
        name, equals, value = text.partition("=")
        # A bare name takes the caller's variable.
        into[name] = Said(value if equals else None, said.span, said.open)
        return False
    match = _NAMED_VARIABLE.match(written)
    if match is None:
        return True
    into[match.group(1)] = Said(None, said.span)
    return False


def _parts(said: Said) -> Iterator[Said]:
    if said.text is None:
        yield said
        return
    for part in said.text.split(","):
        if part.strip():
            yield Said(part.strip(), said.span, said.open)
