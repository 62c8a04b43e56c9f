"""What may be written inside ``RUN --mount=…``: options, values, directories, whole mounts.

Everything offered fits the tools, the user and the variables of that very RUN; what is not known is
not offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from cachekey.assist.completion_codes import complete_codes
from cachekey.assist.completion_devcontainer import Proposal, complete_devcontainer
from cachekey.assist.options import OPTIONS
from cachekey.buildkit.mounts import CANONICAL, SHARING, TYPES
from cachekey.devcontainer.caches import claim_of_variable
from cachekey.devcontainer.read import Devcontainer
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.mount import is_mountable
from cachekey.knowledge.records import Kind, Tool
from cachekey.markup.rich import rich
from cachekey.record import cached_property
from cachekey.syntax.dockerfile.mountflag import Field, parse_mount
from cachekey.syntax.dockerfile.parse import Flag
from cachekey.text import Span
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse
from cachekey.workspace.project import Project
from cachekey.workspace.summary import CacheMount, Summary

_OPTIONS = {
    "cache": ("target", "id", "sharing", "uid", "gid", "mode", "from", "source", "ro"),
    "bind": ("target", "source", "from", "rw"),
    "tmpfs": ("target", "size"),
    "secret": ("id", "target", "required", "mode", "uid", "gid", "env"),
    "ssh": ("id", "target", "required", "mode", "uid", "gid"),
}
"""Options that mean something by type, those that are wanted most in front."""
_TYPE_DOCS = {
    "bind": "files of the build context or of another stage, read-only",
    "cache": "a directory that is kept between builds",
    "tmpfs": "an empty directory in memory",
    "secret": "a file that never gets into the image",
    "ssh": "the SSH agent's socket",
}
_SHARING_DOCS = {
    "shared": "builds use the cache at the same time (default)",
    "locked": "a second build waits until the first is done",
    "private": "a second build at the same time gets a new, empty cache",
}
_MANY = 200
"""Other files whose ids are looked through: nobody reads a longer list."""
_BEGUN = re.compile(r"-{1,2}[a-z]*\Z")


def complete(project: Project, path: str, offset: int) -> Sequence[Proposal]:
    """Return what may be written at ``offset`` of a document, the best first, each text once."""
    found: dict[tuple[Span, str], Proposal] = {}
    for item in _complete(project, path, offset):
        if item.span.contains(offset):
            found.setdefault((item.span, item.text), item)
    return tuple(found.values())


def _complete(project: Project, path: str, offset: int) -> Sequence[Proposal]:
    document = project.documents.get(path)
    if document is not None and (codes := tuple(complete_codes(document.source, offset))):
        return codes
    if isinstance(document, Devcontainer):
        return complete_devcontainer(project, document, offset)
    if not isinstance(document, Dockerfile):
        return ()
    run = _run_at(document, offset)
    if run is None:
        return ()
    place = _Place(project, document, run)
    flag = next((f for f in run.instruction.flags if f.span.start < offset <= f.span.end), None)
    if flag is None:
        return tuple(place.behind_keyword(offset))
    if flag.name.text == "mount" and flag.value is not None:
        inside = offset >= flag.value.offset(0)
        return tuple(place.in_mount(flag, offset)) if inside else ()
    begun = document.source.text[flag.span.start : offset]
    if not "--mount=".startswith(begun):
        return ()
    return tuple(place.mounts(Span(flag.span.start, offset)))


def _run_at(document: Dockerfile, offset: int) -> Run | None:
    """Return the RUN whose lines hold ``offset``, blanks behind its last word included."""
    line = document.source.line_of(offset)
    for run in document.runs:
        instruction = run.instruction
        if instruction.first_line <= line <= instruction.last_line:
            return run if offset > instruction.keyword_span.end else None
    return None


class _Place:
    """One RUN that is being written."""

    def __init__(self, project: Project, document: Dockerfile, run: Run) -> None:
        self.project, self.document, self.run = project, document, run

    # -- whole mounts -----------------------------------------------------------------------------

    def behind_keyword(self, offset: int) -> Iterator[Proposal]:
        """Complete where a flag may begin: between the keyword and the command."""
        instruction = self.run.instruction
        ends = [flag.span.end for flag in instruction.flags if flag.span.end < offset]
        between = self.document.source.text[max([instruction.keyword_span.end, *ends]) : offset]
        begun = _BEGUN.search(between)
        word = begun.group() if begun else ""
        if between == word or not "--mount=".startswith(word):
            return
        if not between.removesuffix(word).replace(self.document.tree.escape, "").strip():
            yield from self.mounts(Span(offset - len(word), offset))

    def mounts(self, span: Span) -> Iterator[Proposal]:
        """Offer whole flags, one for each tool."""
        seen: set[str] = set()
        for use in self.uses:
            directories = tuple(_suggested(use))
            text = " ".join(
                f"--mount=type=cache,{self._options(item, path)}" for item, path in directories
            )
            if not text or text in seen:
                continue
            seen.add(text)
            what = ", ".join(dict.fromkeys(item.cache.what for item, _ in directories))
            label = f"--mount=type=cache for {use.tool.name}"
            # Not as a detail: on the chosen line that stands beside the label, and cuts the tool's name.
            about = (rich("{}: {}", use.tool.name, what), rich("`{}`", text))
            yield Proposal(label, text, span, "snippet", documentation=about)
        yield Proposal("--mount=", "--mount=type=", span, "option", "mount something", more=True)

    def _options(self, item: UsedDirectory, path: str) -> str:
        parts = [f"target={path}"]
        if item.cache.sharing in {"locked", "private"}:
            parts.append(f"sharing={item.cache.sharing}")
        # A new cache is root's; without its own owner another user could not write to it.
        if uid := self.run.scope.user.uid:
            parts.append(f"uid={uid}")
            if gid := self._gid:
                parts.append(f"gid={gid}")
        return ",".join(parts)

    @property
    def _gid(self) -> int | None:
        user = self.run.scope.user
        if user.gid is not None:
            return user.gid
        return user.account.gid if user.account is not None else None

    @property
    def uses(self) -> Sequence[ToolUse]:
        """Return the tools of the RUN; while it has no command, every tool as it would be there."""
        run = self.run
        if run.uses:
            return [use for use in run.uses if use.uses is not False]
        return () if run.commands.items else self._every_tool()

    def _every_tool(self) -> Sequence[ToolUse]:
        """Imagine each tool's bare command in place of the RUN: its scope tells the directories."""
        names = [
            name
            for tool in self.project.knowledge.tools()
            if not tool.when and self._may_have(tool)
            for name in tool.commands[0].names[:1]
            if re.fullmatch(r"[\w.+-]+", name)
        ]
        text, span = self.document.source.text, self.run.instruction.span
        imagined = f"{text[: span.start]}RUN {' && '.join(names)}{text[span.end :]}"
        project = Project(self.project.settings, self.project.read)
        model = project.add(self.document.path, imagined, "dockerfile")
        if not isinstance(model, Dockerfile):
            return ()
        found = next((run.uses for run in model.runs if run.span.start == span.start), ())
        return sorted(found, key=self._likelihood)

    def _likelihood(self, use: ToolUse) -> tuple[bool, bool, int, bool]:
        """Rank a tool: the file's own, those that it tells where to cache, those of its image, its
        package manager, all others.
        """
        facts = self.run.scope.base.facts
        usual = facts.tools if facts is not None else ()
        rank = usual.index(use.tool.id) if use.tool.id in usual else len(usual)
        known = any(
            use.tool.id == other.tool.id for run in self.document.runs for other in run.uses
        )
        mine = not (use.tool.families and facts is not None)
        return (not known, use.tool.id not in self._told, rank, mine)

    @cached_property
    def _told(self) -> frozenset[str]:
        """Return the tools whose directories ENV or ARG of the file name."""
        variables = self.run.scope.variables.values()
        names = [item.name for item in variables if item.origin in ("arg", "env")]
        claims = (claim_of_variable(self.project.knowledge, name) for name in names)
        return frozenset(found[0].tool.id for found in claims if found is not None)

    def _may_have(self, tool: Tool) -> bool:
        """Tell whether the image may have a tool: it has one package manager."""
        facts = self.run.scope.base.facts
        family = facts.family if facts is not None else None
        return not tool.families or family is None or family in tool.families

    # -- inside of a mount ------------------------------------------------------------------------

    def in_mount(self, flag: Flag, offset: int) -> Iterator[Proposal]:
        """Complete the value of ``--mount``."""
        assert flag.value is not None
        fields = parse_mount(flag.value).fields
        field = next((item for item in fields if item.span.contains(offset)), None)
        if field is None and flag.value.text:
            return
        given = {CANONICAL.get(item.key, item.key): item for item in fields if item is not field}
        if field is not None and field.value is not None and offset >= field.value.offset(0):
            yield from self._values(field, given)
        else:
            yield from self._names(field, given, offset)

    def _names(
        self, field: Field | None, given: Mapping[str, Field], offset: int
    ) -> Iterator[Proposal]:
        kind = _type(given)
        names = _OPTIONS.get(kind, ()) if "type" in given else ("type",)
        span = field.name.span() if field is not None else Span(offset, offset)
        has_value = field is not None and field.value is not None
        begun = "type=cache," if "type" not in given else ""
        if kind in {"cache", ""} and not has_value and not given.keys() & {"target", "id"}:
            yield from self._remainders(span, begun)
        for name in names:
            if name in given:
                continue
            bare = has_value or name in {"ro", "rw"}
            about = OPTIONS.get(name, ()) if kind == "cache" or name == "type" else ()
            text = name if bare else f"{name}="
            yield Proposal(name, text, span, "option", "", about, more=not bare)

    def _remainders(self, span: Span, begun: str) -> Iterator[Proposal]:
        """Offer what is left of a whole mount, for each directory of each tool."""
        for use in self.uses:
            for item, path in _suggested(use):
                text = begun + self._options(item, path)
                label = f"{text} for {use.tool.name}"
                yield Proposal(label, text, span, "snippet", item.cache.what)

    def _values(self, field: Field, given: Mapping[str, Field]) -> Iterator[Proposal]:
        assert field.value is not None
        name, span = CANONICAL.get(field.key, field.key), field.value.span()
        if name == "type":
            for word in ("cache", *(word for word in TYPES if word != "cache")):
                yield Proposal(word, word, span, "value", _TYPE_DOCS[word])
        elif name == "from":
            for stage in self.document.stages[: self.run.stage]:
                label = stage.name or str(stage.index)
                yield Proposal(label, label, span, "value", "stage")
        elif _type(given) == "cache":
            yield from self._cache_values(name, span, given)

    def _cache_values(
        self, name: str, span: Span, given: Mapping[str, Field]
    ) -> Iterator[Proposal]:
        if name == "target":
            for use in self.uses:
                for item, path in _suggested(use):
                    detail = f"{use.tool.name}: {item.cache.what}"
                    about = (rich("{}", item.decided_by),)
                    yield Proposal(path, path, span, "path", detail, about)
        elif name == "id":
            yield from self._ids(span, given)
        elif name == "sharing":
            wanted = [item.cache.sharing for use in self.run.uses for item in use.caches]
            for word in sorted(SHARING, key=lambda word: word not in wanted):
                yield Proposal(word, word, span, "value", _SHARING_DOCS[word])
        elif name in {"uid", "gid"}:
            number = self.run.scope.user.uid if name == "uid" else self._gid
            if number is not None:
                who = f"{self.run.scope.user.label} of this RUN"
                yield Proposal(str(number), str(number), span, "value", who)
        elif name in {"ro", "rw"}:
            for word in ("true", "false"):
                yield Proposal(word, word, span, "value")

    def _ids(self, span: Span, given: Mapping[str, Field]) -> Iterator[Proposal]:
        seen: set[str] = set()
        target = given.get("target")
        directory = target.value.text if target is not None and target.value is not None else ""
        for use in self.uses:
            for item in use.caches:
                fits = not directory or item.relation(directory) in {"exact", "part", "parent"}
                if fits and item.cache.id and item.cache.id not in seen:
                    seen.add(item.cache.id)
                    detail = f"{use.tool.name}: {item.cache.what}"
                    yield Proposal(item.cache.id, item.cache.id, span, "value", detail)
        for mount in self._named(span):
            text = self._written(mount)
            if text is None or text in seen:
                continue
            seen.add(text)
            who = f"{mount.use.name} in " if mount.use is not None else ""
            count = self.project.index.count_sharing(mount.key.identity)
            more = f", {count} mounts" if count > 1 else ""
            where = f"{who}{mount.path}:{mount.line + 1}{more}"
            yield Proposal(text, text, span, "value", where)

    def _written(self, mount: CacheMount) -> str | None:
        """Return an id as it can be written here; None where its variables count elsewhere."""
        if mount.path != self.document.path:
            plain = mount.name_span.end - mount.name_span.start == len(mount.id)
            return mount.id if plain else None
        model = next((item for _, item in self.document.caches if item.span == mount.span), None)
        if model is None or any(
            model.scope.variables.get(name) is not self.run.scope.variables.get(name)
            for name in model.used
        ):
            return None
        return self.document.source.slice(mount.name_span)

    def _named(self, span: Span) -> Iterator[CacheMount]:
        """Yield the mounts of the workspace that have an id: of this file, of these tools, of others."""
        index = self.project.index
        own = index.get(self.document.path)
        roles = [(use.tool.id, item.cache.role) for use in self.uses for item in use.caches]
        alike = (mount for role in dict.fromkeys(roles[:_MANY]) for mount in index.of_tool(*role))
        paths = islice((path for path in index if path != self.document.path), _MANY)
        others = (mount for path in paths for mount in _mounts_of(index.get(path)))
        for mount in chain(_mounts_of(own), islice(alike, _MANY), others):
            here = mount.path == self.document.path and mount.name_span == span
            if mount.id and not here:
                yield mount


def _mounts_of(summary: Summary | None) -> Sequence[CacheMount]:
    return summary.mounts if summary is not None else ()


def _type(given: Mapping[str, Field]) -> str:
    field = given.get("type")
    return field.value.text.lower() if field is not None and field.value is not None else ""


def _suggested(use: ToolUse) -> Iterator[tuple[UsedDirectory, str]]:
    """Yield the directories to mount for a tool and where they are, parts of one included."""
    roles = use.suggested or tuple(item.cache.role for item in use.caches)
    for name in roles:
        role, _, part = name.partition("/")
        item = use.directory(role)
        path = item.path if item is not None else None
        if item is not None and is_mountable(path or "") and item.cache.kind is Kind.DOWNLOAD:
            yield item, f"{path}/{part}" if part else f"{path}"
