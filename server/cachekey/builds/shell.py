"""The builds that a shell script starts: ``docker build`` and its kin, wherever they stand in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

from cachekey.builds.flags import Line, read_line
from cachekey.commands.invocation import Invocation as Call
from cachekey.commands.read import Heredoc, read_commands
from cachekey.record import record
from cachekey.syntax.shell.parse import Word
from cachekey.text import Mapped, Span

Verb = Literal["build", "bake", "compose"]

_ENGINES = frozenset(("docker", "podman", "nerdctl", "buildah", "depot", "docker-buildx", "finch"))
_VALUED = frozenset(
    """-H --host --context -c --config -l --log-level --builder -f --file --project-directory -p
    --project-name --profile --env-file --ansi --parallel --progress --root --runroot --url
    --connection --identity --storage-driver --namespace -n --address -a""".split()  # noqa: SIM905
)
_VERBS: dict[str, Verb] = {"build": "build", "bud": "build", "bake": "bake"}
_VERBS |= {"buildx build": "build", "buildx b": "build", "buildx bake": "bake", "buildx f": "bake"}
_LAST = frozenset(("build", "b", "bud", "bake", "f"))
_COMPOSES = frozenset(("docker-compose", "podman-compose"))
_ENGINE_VARIABLE = re.compile(r"docker|podman|nerdctl|buildah|container|engine|oci", re.IGNORECASE)
_STEPS = 60_000


@record(frozen=True)
class Text:
    """A script as :func:`read_commands` takes it."""

    args: Mapped
    json: tuple[Mapped, ...] | None = None
    heredocs: tuple[Heredoc, ...] = ()


@record(frozen=True, eq=False)
class Started:
    """One call of a builder."""

    verb: Verb
    line: Line
    cwd: str | None
    """The folder that it starts in, absolute from the folder that the script starts in."""
    span: Span
    """The words that name what is run."""
    program: str
    """``docker``, ``depot``, … ; empty when a variable names it."""
    buildx: bool
    """It takes the builder that is in use; ``docker build`` and Compose take the default one."""


def started(
    text: Mapped, cwd: str | None = "/", lookup: Callable[[str], str | None] | None = None
) -> Iterator[Started]:
    """Yield the builds of a script that starts in ``cwd``, as far as it can be read."""
    commands = read_commands(
        Text(text),
        shell=None,
        lookup=lookup or (lambda _name: None),
        workdir=cwd,
        steps=_STEPS,
        command_steps=20,
    )
    for call in commands.items:
        if call.script is None and (found := started_by(call)) is not None:
            yield found


def _is_engine(call: Call) -> bool:
    if call.program is None:
        # `$(GO) build` is none of ours, `$(CONTAINER_ENGINE) build` is.
        return bool(_ENGINE_VARIABLE.search(call.named[0].written))
    return call.program in _ENGINES or call.program in _COMPOSES


def started_by(call: Call) -> Started | None:
    """Return the build that a call is; None when it is none."""
    program = call.program
    if not _is_engine(call):
        return None
    words = [(word, text) for word, text in zip(call.args, call.texts, strict=False)]
    if program in _COMPOSES:
        return _compose(call, words, str(program).split("-")[0])
    front: list[tuple[Word, str | None]] = []
    verbs: list[str] = []
    at = 0
    while at < len(words) and len(verbs) < 3:
        word, text = words[at]
        at += 1
        if text is None:
            return None
        if text.startswith("-"):
            front.append((word, text))
            if text in _VALUED and at < len(words):
                front.append(words[at])
                at += 1
            continue
        verbs.append(text)
        if text == "compose":
            return _compose(call, words[at:], program or "")
        if text in _LAST:
            break
        if text not in ("buildx", "image", "builder"):
            return None
    verb = _VERBS.get(" ".join(verbs[-2:]) if "buildx" in verbs else verbs[-1] if verbs else "")
    if verb is None:
        return None
    return _made(call, verb, [*front, *words[at:]], program or "", "buildx" in verbs)


def _compose(call: Call, words: list[tuple[Word, str | None]], program: str) -> Started | None:
    """Read ``compose build`` and ``compose up --build``."""
    texts = [text for _, text in words]
    verb = next((text for text in texts if text in ("build", "up", "run", "create")), None)
    if verb is None or (verb != "build" and "--build" not in texts):
        return None
    at = texts.index(verb)
    return _made(call, "compose", [*words[:at], *words[at + 1 :]], program)


def _made(
    call: Call,
    verb: Verb,
    words: list[tuple[Word, str | None]],
    program: str,
    buildx: bool = False,
) -> Started:
    line = read_line(words)
    stop = call.args[0].span if call.args else call.head
    return Started(verb, line, call.cwd, call.head.to(stop).fixed, program, buildx)
