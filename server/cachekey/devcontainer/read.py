"""A devcontainer.json, or a devcontainer-feature.json, as what it makes of a container."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from cachekey.budget import FILE_STEPS, LETTER_STEPS, MEETING_STEPS, Budget, SpentError
from cachekey.devcontainer.mounts import RuntimeMount, mounts_of, run_mounts, workspace_mount
from cachekey.devcontainer.paths import within
from cachekey.devcontainer.runargs import option_values
from cachekey.devcontainer.substitution import LIFECYCLE, Variable, literal, variables
from cachekey.record import cached_property, record
from cachekey.syntax.jsonc.parse import parse, parse_members, span_in
from cachekey.syntax.jsonc.tree import JsoncTree, Member, Node
from cachekey.text import Mapped, Source, Span

FILE_NAMES = ("devcontainer.json", ".devcontainer.json", "devcontainer-feature.json")

EnvPlace = Literal["containerEnv", "remoteEnv", "runArgs"]


@record(frozen=True, eq=False)
class EnvEntry:
    """An environment variable that the file sets."""

    place: EnvPlace
    name: str
    span: Span
    """Name and value."""
    value: Mapped | None
    member: Member | None
    """``None`` for ``-e NAME=value`` in ``runArgs``."""

    @property
    def text(self) -> str | None:
        """Return the value when it is known literally."""
        return literal(self.value)


@record(frozen=True, eq=False)
class Lifecycle:
    """One lifecycle command in the form that the user chose."""

    name: str
    member: Member
    form: Literal["string", "array", "object"]
    scripts: tuple[Mapped, ...]
    """Texts that a shell reads; an array's words each stand for themselves."""
    text: str
    """Everything it says, in one line a command."""


@record(frozen=True, eq=False)
class BuildTarget:
    """What ``build`` (or the older ``dockerFile``) names, relative to the workspace."""

    span: Span
    """The Dockerfile's path in the file, without quotes."""
    written: str
    path: str | None
    """The Dockerfile; ``None`` when it lies outside the workspace or a variable tells it."""
    reason: str
    """Why there is no path, in plain words."""
    context: str | None
    """The build context; the Dockerfile's folder when the file names none."""
    target: str | None
    """The stage to build, ``None`` for the last one."""
    args: Mapping[str, str]
    """Build arguments whose values are known literally."""


@record(frozen=True, eq=False)
class FileProblem:
    """Why the Dev Containers tools read nothing from the file."""

    span: Span
    message: str


@record(frozen=True, eq=False)
class Devcontainer:
    """One file. Offsets in everything that it hands out are offsets in ``source``."""

    path: str
    source: Source
    tree: JsoncTree
    fragment: bool = False
    """The text has members without braces, as articles print them; read as if it had them."""

    @property
    def feature(self) -> bool:
        """Tell whether the file describes a feature."""
        return posixpath.basename(self.path) == "devcontainer-feature.json"

    @cached_property
    def root(self) -> Node:
        """Return the file's object; an empty one when it holds none, or too much."""
        root = self.tree.root
        if root is not None and root.kind == "object" and self.spent is None:
            return root
        end = len(self.source.text)
        return Node("object", Span(end, end), closed=False)

    @cached_property
    def spent(self) -> Span | None:
        """Return where the budget was gone: then nothing is read but whether it is JSON.

        A half of the mounts, or of the variables, would look as if the others were forgotten.
        """
        root = self.tree.root
        if root is None or root.kind != "object":
            return None
        budget = Budget(FILE_STEPS)
        try:
            budget.spend(LETTER_STEPS * len(self.source.text))
            mounts = scripts = 0
            for path, node in self.tree.strings():
                if path[0] == "customizations":
                    continue
                budget.spend(MEETING_STEPS)
                mounts += path[0] in ("mounts", "runArgs")
                scripts += node.span.end - node.span.start if path[0] in LIFECYCLE else 0
            # For each mount the commands are searched for its directory.
            budget.spend(mounts * scripts // 2)
        except SpentError:
            return Span(root.span.start, root.span.start + 1)
        return None

    @cached_property
    def half_typed(self) -> bool:
        """Tell whether a closing quote, brace or bracket is missing somewhere, or a colon."""
        if self.tree.torn:
            return True
        waiting = [self.tree.root] if self.tree.root is not None else []
        while waiting:
            node = waiting.pop()
            if not node.closed:
                return True
            waiting += [item.value for item in node.members if item.value is not None]
            waiting += [item.value for item in node.elements]
        return False

    @cached_property
    def problem(self) -> FileProblem | None:
        """Tell why the file says nothing: it is empty, or no object."""
        root = self.tree.root
        if root is not None and root.kind == "object" and not self.fragment:
            return None
        span = self.source.line_span(0)
        if root is not None:
            span = Span(root.span.start, min(root.span.start + 1, root.span.end))
        return FileProblem(span, "A devcontainer.json must hold one JSON object")

    def get(self, name: str) -> Node | None:
        """Return a top-level value."""
        return self.root.get(name)

    @cached_property
    def compose(self) -> bool:
        """Tell whether the container is a service of a compose file."""
        return self.get("dockerComposeFile") is not None

    @cached_property
    def compose_paths(self) -> tuple[str | None, ...]:
        """Return the compose files, ``None`` for one outside or one that a variable tells."""
        node = self.get("dockerComposeFile")
        if node is None:
            return ()
        nodes = [item.value for item in node.elements] if node.kind == "array" else [node]
        return tuple(
            resolve(self.path, item.text)[0] if item.text is not None else None for item in nodes
        )

    @cached_property
    def mounts(self) -> tuple[RuntimeMount, ...]:
        """Return every mount of the file, in the order of mounts, workspaceMount, runArgs."""
        compose = self.compose
        return (
            *mounts_of(self.get("mounts"), compose=compose),
            *workspace_mount(self.get("workspaceMount"), compose=compose),
            *run_mounts(self.get("runArgs"), compose=compose),
        )

    @cached_property
    def effective_mounts(self) -> tuple[RuntimeMount, ...]:
        """Return the mounts that come into being: compose ignores all but ``mounts``."""
        if not self.compose:
            return self.mounts
        return tuple(mount for mount in self.mounts if mount.origin == "mounts")

    @cached_property
    def container_env(self) -> tuple[EnvEntry, ...]:
        """Return the entries of ``containerEnv``."""
        return tuple(_env(self.get("containerEnv"), "containerEnv"))

    @cached_property
    def remote_env(self) -> tuple[EnvEntry, ...]:
        """Return the entries of ``remoteEnv``."""
        return tuple(_env(self.get("remoteEnv"), "remoteEnv"))

    @cached_property
    def run_env(self) -> tuple[EnvEntry, ...]:
        """Return the variables that ``runArgs`` sets with ``-e`` or ``--env``: with compose none."""
        return () if self.compose else self.run_settings

    @cached_property
    def run_settings(self) -> tuple[EnvEntry, ...]:
        """Return the variables that are written in ``runArgs``, whether anybody gets them or not."""
        return tuple(_run_env(self.get("runArgs")))

    @cached_property
    def env(self) -> tuple[EnvEntry, ...]:
        """Return every variable that the file sets, whoever sees it."""
        return (*self.container_env, *self.run_env, *self.remote_env)

    @cached_property
    def env_file(self) -> bool:
        """Tell whether ``runArgs`` reads variables from a file that we do not see."""
        return any(option_values(self.get("runArgs"), "--env-file"))

    @cached_property
    def remote_user(self) -> Mapped | None:
        """Return ``remoteUser`` as written."""
        return self.root.string("remoteUser")

    @cached_property
    def container_user(self) -> Mapped | None:
        """Return ``containerUser`` as written."""
        return self.root.string("containerUser")

    @cached_property
    def run_user(self) -> Mapped | None:
        """Return the user that ``runArgs`` names, who wins over ``containerUser``."""
        found = [] if self.compose else list(option_values(self.get("runArgs"), "--user", "-u"))
        return found[-1] if found else None

    @cached_property
    def image(self) -> Mapped | None:
        """Return ``image`` as written."""
        return self.root.string("image")

    @cached_property
    def features(self) -> tuple[Member, ...]:
        """Return the features in use."""
        node = self.get("features")
        return tuple(node.effective()) if node else ()

    @cached_property
    def workspace_folder(self) -> str | None:
        """Return the workspace's folder in the container when the file says it literally."""
        text = literal(self.root.string("workspaceFolder"))
        return posixpath.normpath(text) if text and text.startswith("/") else None

    @cached_property
    def lifecycle(self) -> tuple[Lifecycle, ...]:
        """Return the commands that run in the container, in their order in time."""
        return tuple(
            found for name in LIFECYCLE if (found := _lifecycle(name, self.root)) is not None
        )

    @cached_property
    def initialize(self) -> Lifecycle | None:
        """Return ``initializeCommand``, which runs on the host before any mount is made."""
        return _lifecycle("initializeCommand", self.root)

    @cached_property
    def build(self) -> Node | None:
        """Return the ``build`` object."""
        node = self.get("build")
        return node if node is not None and node.kind == "object" else None

    @cached_property
    def build_options(self) -> tuple[Node, ...]:
        """Return the strings of ``build.options``."""
        node = self.build.get("options") if self.build else None
        return tuple(e.value for e in node.elements if e.value.text is not None) if node else ()

    @cached_property
    def build_target(self) -> BuildTarget | None:
        """Return the Dockerfile that is built, ``None`` when the file builds none."""
        return None if self.compose or self.feature else _build_target(self)

    @property
    def dockerfile_path(self) -> str | None:
        """Return the path of the Dockerfile that is built, inside the workspace only."""
        return self.build_target.path if self.build_target else None

    @property
    def build_args(self) -> Mapping[str, str]:
        """Return the build arguments with their literal values."""
        return self.build_target.args if self.build_target else {}

    @cached_property
    def variables(self) -> tuple[tuple[tuple[str, ...], Node, Variable], ...]:
        """Return every variable of every string value, with the keys that lead to it."""
        found = []
        for path, node in self.tree.strings():
            if node.text is not None and "${" in node.text.text:
                found += [(path, node, variable) for variable in variables(node.text)]
        return tuple(found)

    def records(self, level: type) -> Iterable[Any]:
        """Return the records of a level: the file itself, its mounts, its variables."""
        if level is RuntimeMount:
            return self.mounts
        return self.env if level is EnvEntry else ()

    @cached_property
    def has_template_options(self) -> bool:
        """Tell whether the file belongs to a template and is completed before its first use."""
        return any(variable.template for _, _, variable in self.variables)


def read_devcontainer(path: str, source: Source) -> Devcontainer:
    """Read a file; whatever it holds, this never fails."""
    tree = parse(source)
    if tree.root is not None and tree.root.kind == "string":
        members = parse_members(source)
        if members is not None:
            return Devcontainer(path, source, members, fragment=True)
    return Devcontainer(path, source, tree)


def _env(node: Node | None, place: EnvPlace) -> Iterator[EnvEntry]:
    for member in node.effective() if node else ():
        text = member.value.text if member.value else None
        yield EnvEntry(place, member.key.text, member.span, text, member)


def _run_env(node: Node | None) -> Iterator[EnvEntry]:
    for setting in option_values(node, "--env", "-e"):
        name, equals, _ = setting.text.partition("=")
        value = setting.slice(len(name) + 1) if equals else None
        yield EnvEntry("runArgs", name, span_in(setting), value, None)


def _lifecycle(name: str, root: Node) -> Lifecycle | None:
    member = root.member(name)
    if member is None or member.value is None:
        return None
    node = member.value
    if node.kind == "string":
        scripts = _words(node)
        return Lifecycle(name, member, "string", scripts, scripts[0].text)
    if node.kind == "array":
        words = _words(node)
        return Lifecycle(name, member, "array", words, _line(words))
    if node.kind != "object":
        return None
    entries = [_words(entry.value) for entry in node.effective() if entry.value is not None]
    text = "\n".join(_line(words) for words in entries)
    return Lifecycle(name, member, "object", tuple(word for e in entries for word in e), text)


def _words(node: Node) -> tuple[Mapped, ...]:
    """Return a command's text, or the words of its array."""
    if node.text is not None:
        return (node.text,)
    return tuple(e.value.text for e in node.elements if e.value.text is not None)


def _line(words: tuple[Mapped, ...]) -> str:
    return " ".join(word.text for word in words)


def _build_target(document: Devcontainer) -> BuildTarget | None:
    build, root = document.build, document.root
    dockerfile = build.string("dockerfile") if build else None
    if dockerfile is None:
        dockerfile = root.string("dockerFile")
    if dockerfile is None or not dockerfile.text:
        return None
    context = (build.string("context") if build else None) or root.string("context")
    stage = literal(build.string("target")) if build else None
    path, reason = resolve(document.path, dockerfile)
    if context is None:
        folder = posixpath.dirname(path) if path is not None else None
    else:
        folder, _ = resolve(document.path, context)
    node = build.get("args") if build else None
    members = tuple(node.effective()) if node else ()
    values = {m.key.text: literal(m.value.text) for m in members if m.value}
    args = {name: value for name, value in values.items() if value is not None}
    return BuildTarget(
        span_in(dockerfile), dockerfile.text, path, reason, folder, stage or None, args
    )


def resolve(document: str, written: Mapped) -> tuple[str | None, str]:
    """Resolve a path relative to the folder of ``document``; also tell why that is impossible."""
    text = literal(written)
    if text is None:
        return None, "a variable tells the path"
    if text.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", text):
        return None, "the path is absolute"
    path = within(posixpath.dirname(document), text.replace("\\", "/"))
    return (None, "the path leads out of the workspace") if path is None else (path or ".", "")
