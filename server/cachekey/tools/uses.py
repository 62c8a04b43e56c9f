"""Which directories a command's tool uses, what decided that, and what keeps it from using them.

Order of truth: inline variable or flag, ENV and ARG in scope, what an earlier command stored, the
project's configuration files, the base image, the default for the effective home. The strict order
between two of them is the tool's own and stands in its data. One unknown link makes the answer
unknown: ``path`` is None and ``decided_by`` says what is missing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cachekey.knowledge.paths import Relation, clean, looks_like, relation
from cachekey.knowledge.patterns import any_fits, fits, matches
from cachekey.knowledge.records import (
    CacheDir,
    Command,
    Confidence,
    Emptying,
    Kind,
    Pattern,
    Suggestion,
    Tool,
    Way,
)
from cachekey.record import cached_property, record, replace
from cachekey.text import Span
from cachekey.tools.environment import (
    ConfigReader,
    Earlier,
    Known,
    NotKnown,
    ToolEnvironment,
)
from cachekey.tools.switches import Disabled, find_switches

if TYPE_CHECKING:
    from cachekey.buildkit.scope import Scope, User
    from cachekey.commands.read import Commands, Invocation
    from cachekey.knowledge import Knowledge

__all__ = [
    "ConfigReader",
    "Disabled",
    "Emptied",
    "Known",
    "NotKnown",
    "ToolUse",
    "UsedDirectory",
    "find_tool_uses",
    "may_be_for_another",
    "meant",
    "relation_to",
]

_BEST: tuple[Relation, ...] = ("exact", "part", "parent", "unknown", "none")


@record(frozen=True, eq=False)
class UsedDirectory:
    """One directory of a tool, where this invocation has it."""

    cache: CacheDir
    path: str | None
    """Absolute; None when nobody can know."""
    decided_by: str
    """What decided it, or what is missing, for a reader."""
    span: Span | None
    """Where in the Dockerfile it was decided, if there."""
    variable: str
    """The variable that decided it."""
    also: tuple[str, ...]
    """Other places that older versions use, or that a file of the project would lead away from."""
    used: bool | None
    """Whether this subcommand uses it; None when that is not known."""
    fills: bool
    """It fills the directory ahead of other commands."""
    linked: str
    """What this command installs elsewhere as mere links into the directory; empty: nothing."""
    doors: tuple[str, ...]
    """Absolute paths of the links into the directory that this command makes."""
    shaky: bool
    """Only a remembered fact of the base image says that it is there and not elsewhere."""
    needs: bool
    """It fails or starts anew when an earlier command's content is not there."""
    confidence: Confidence

    @property
    def role(self) -> str:
        """The directory's role, unique within its tool."""
        return self.cache.role

    def relation(self, target: str) -> Relation:
        """Tell how a mount on ``target`` lies to the directory.

        A child that the tool never makes is no part of it. Where the place is shaky, what does not
        match is unknown.
        """
        if self.path is not None and not self.also and not self.shaky:
            return self._relation(target, self.path)
        answers = {self._relation(target, path) for path in self.also}
        if self.path is not None:
            answers.add(self._relation(target, self.path))
        if self.shaky or (self.path is None and (self.cache.path or self.cache.moved_by)):
            answers.add("unknown")
        return next((one for one in _BEST if one in answers), "none")

    def place_for(self, target: str) -> str | None:
        """Return which of the places that the directory may have a mount on ``target`` holds."""
        places = [path for path in (self.path, *self.also) if path is not None]
        ranked = {path: _BEST.index(self._relation(target, path)) for path in reversed(places)}
        return min(reversed(ranked), key=lambda path: ranked[path], default=None)

    def _relation(self, target: str, path: str) -> Relation:
        answer = relation(target, path)
        if answer == "part" and self.cache.children:
            child = clean(target)[len(clean(path)) :].lstrip("/").split("/")[0]
            if not any(matches(child, glob) for glob in self.cache.children):
                return "none"
        return answer


@record(frozen=True, eq=False)
class Emptied:
    """Directories that an invocation empties."""

    emptying: Emptying
    roles: tuple[str, ...]
    confidence: Confidence


class ToolUse:
    """One invocation of one tool; what is costly to know is found when it is asked for."""

    def __init__(
        self,
        tool: Tool,
        command: Command,
        invocation: Invocation,
        environment: ToolEnvironment,
        via: ToolUse | None = None,
    ) -> None:
        """Take the parts; ``via`` is the use of the tool that runs this one."""
        self.tool, self.command, self.invocation, self.via = tool, command, invocation, via
        self._env = environment

    def __repr__(self) -> str:
        return f"ToolUse({self.tool.id}, {self.invocation.program} {self.invocation.texts})"

    @cached_property
    def applies(self) -> bool | None:
        """Whether the executable is this tool at all; None when two tools share the name."""
        answers = (self._env.holds(self.tool.when), self._env.is_called_through())
        if False in answers:
            return False
        return None if None in answers else True

    @property
    def own(self) -> bool:
        """Whether the program is the tool itself, and not one that calls it or starts it."""
        return self.via is None and not self.command.through

    @cached_property
    def uses(self) -> bool | None:
        """Whether the subcommand uses any cache of the tool; None when that is not known."""
        if self.via is not None:
            return self.via.uses
        line, command = self._env.line, self.command
        if command.contains:
            texts = [text for text in line.args if text]
            if any(part in text for part in command.contains for text in texts):
                return True
            return None if command.runs else False
        silent = any_fits(command.silent, line)
        uses = any_fits(command.uses, line)
        if silent is True and uses is True:
            return self._longest(command.uses) > self._longest(command.silent)
        if silent is True or uses is True:
            return uses is True
        return None

    def _longest(self, items: Sequence[Pattern]) -> int:
        return max(len(item.text) for item in items if fits(item, self._env.line))

    @cached_property
    def opaque(self) -> bool:
        """Whether it runs a program or scripts that this view does not show."""
        if self.invocation.shown:
            return False
        return any_fits(self.command.runs, self._env.line) is not False

    @property
    def may_start(self) -> tuple[str, ...]:
        """Ids of other tools that it may run by itself; ``*`` is anything."""
        return self.tool.may_start if self.uses is not False else ()

    @cached_property
    def directories(self) -> tuple[UsedDirectory, ...]:
        """Every directory of the tool with its place here."""
        return tuple(
            self._directory(cache)
            for cache in self.tool.caches
            if not cache.when or self._env.holds(cache.when) is not False
        )

    def directory(self, role: str) -> UsedDirectory | None:
        """Return the directory of this role."""
        return next((item for item in self.directories if item.role == role), None)

    @cached_property
    def caches(self) -> tuple[UsedDirectory, ...]:
        """The download caches that this subcommand uses, or may use."""
        return tuple(
            item
            for item in self.directories
            if item.cache.kind is Kind.DOWNLOAD and item.used is not False
        )

    @cached_property
    def disabled(self) -> tuple[Disabled, ...]:
        """What on the line, in the environment or in a file switches caches off."""
        return tuple(find_switches(self._env, self._downloads))

    @cached_property
    def empties(self) -> tuple[Emptied, ...]:
        """Which directories the subcommand empties."""
        if not self.own:
            return ()
        return tuple(
            Emptied(item, item.caches or self._downloads, item.confidence or self.tool.confidence)
            for item in self.tool.empties
            if fits(item.command, self._env.line) is True
        )

    @cached_property
    def _downloads(self) -> tuple[str, ...]:
        return tuple(item.role for item in self.tool.caches if item.kind is Kind.DOWNLOAD)

    @property
    def span(self) -> Span:
        """The span of the command."""
        return self.invocation.span

    @cached_property
    def suggested(self) -> tuple[str, ...]:
        """Roles, or ``role/part``, to mount for this subcommand."""
        return self._suggestion.mounts if self._suggestion is not None else ()

    @property
    def rarely_filled(self) -> tuple[str, ...]:
        """Those of ``suggested`` that many projects never fill."""
        return self._suggestion.rare if self._suggestion is not None else ()

    @cached_property
    def _suggestion(self) -> Suggestion | None:
        if self.uses is not True:
            return None
        found = (x for x in self.tool.suggest if any_fits(x.commands, self._env.line) is True)
        return next(found, None)

    @cached_property
    def tells_of_passing(self) -> str:
        """What the subcommand tells of that has ended with another RUN; empty for others."""
        found = (item for item in self.tool.passing if fits(item.command, self._env.line) is True)
        return next((item.what for item in found), "")

    @cached_property
    def gathered(self) -> str | None:
        """The folder that it fills with sources of the project; None: it does not, or nobody knows."""
        found = (item for item in self.tool.gathers if fits(item.command, self._env.line) is True)
        folder = next((item.folder for item in found), None)
        cwd = self._env.cwd
        return posixpath.join(cwd, folder) if folder is not None and cwd is not None else None

    @property
    def manifests(self) -> tuple[str, ...]:
        """Globs of the files that name what this subcommand installs, and all that it needs."""
        manifest = self.tool.manifest
        if manifest is None or any_fits(manifest.commands, self._env.line) is not True:
            return ()
        return manifest.files

    @cached_property
    def reads_no_file(self) -> bool:
        """Whether it surely installs what its command line names, whatever the project's files hold."""
        manifest = self.tool.manifest
        if manifest is None or any_fits(manifest.named, self._env.line) is not True:
            return False
        texts = self.invocation.texts
        words = [text for text in texts if text is not None]
        plain = len(words) == len(texts) and self.invocation.args_known
        return plain and not any("/" in word for word in words)

    def keeps_apart(self, cache: CacheDir) -> bool:
        """Tell whether the contents of several platforms are kept apart within a directory."""
        return any(self._env.way(way) is not None for way in cache.kept_apart)

    @cached_property
    def link_mode(self) -> Known | NotKnown | None:
        """How this invocation is told to copy out of the cache, None when it is not."""
        mode = self.tool.link_mode
        if mode is None:
            return None
        ways = (Way(flag=mode.flag), Way(env=mode.env), *mode.config)
        found = (self._env.way(way) for way in ways if way.label)
        return next((one for one in found if one is not None), None)

    @cached_property
    def wants_link_mode(self) -> bool:
        """Whether the subcommand links files out of its cache and complains when it cannot."""
        mode = self.tool.link_mode
        return mode is not None and any_fits(mode.commands, self._env.line) is True

    @property
    def user(self) -> User | None:
        """Who runs the tool; None when nothing is known."""
        return self._env.user

    @property
    def is_root(self) -> bool | None:
        """Whether the tool runs as root; None when nobody knows."""
        return self.user.is_root if self.user else None

    @property
    def home(self) -> Known | NotKnown:
        """The home directory that the tool goes by."""
        return self._env.home

    # -- one directory --------------------------------------------------------------------------

    def _directory(self, cache: CacheDir) -> UsedDirectory:
        found, image = self._place(cache)
        line, known = self._env.line, isinstance(found, Known)
        if isinstance(found, Known) and (leads := self._env.followed(found.text)) != found.text:
            found = replace(found, text=leads, because=f"a link in {found.text}", variable="")
        return UsedDirectory(
            cache=cache,
            path=found.text if isinstance(found, Known) else None,
            decided_by=found.because if isinstance(found, Known) else found.reason,
            span=found.span if isinstance(found, Known) else None,
            variable=found.variable if isinstance(found, Known) else "",
            also=tuple(self._alternatives(cache, found)) if known else (),
            used=self._uses(cache),
            fills=any_fits(cache.filled_by, line) is True,
            linked=self._linked(cache),
            doors=self._doors(cache),
            shaky=image and self._env.is_image_remembered,
            needs=any_fits(cache.needed_by, line) is True,
            confidence=self._env.confidence(cache.confidence, image),
        )

    def _linked(self, cache: CacheDir) -> str:
        linking = cache.linked
        if linking is None or any_fits(linking.commands, self._env.line) is not True:
            return ""
        if any(self._env.variable(name) is not None for name in linking.unless):
            return ""
        found = next((one for way in linking.by if (one := self._env.way(way)) is not None), None)
        if not isinstance(found, Known) or found.from_image:
            return ""
        return linking.what if found.text.lower() == linking.value else ""

    def _doors(self, cache: CacheDir) -> tuple[str, ...]:
        doors, cwd = cache.doors, self.invocation.cwd
        if doors is None or cwd is None or any_fits(doors.commands, self._env.line) is not True:
            return ()
        if any(self._env.way(way) is not None for way in doors.unless):
            return ()
        return tuple(posixpath.join(cwd, name) for name in doors.links)

    def _uses(self, cache: CacheDir) -> bool | None:
        if self.uses is not True or not cache.used_by or self.via is not None:
            return self.uses
        return any_fits(cache.used_by, self._env.line)

    def _place(self, cache: CacheDir) -> tuple[Known | NotKnown, bool]:
        """Find a directory; the second value tells whether the image table had a say in it."""
        env = self._env
        if self.applies is None:
            program = self.invocation.program
            return NotKnown(f"nothing here tells whether {program} is {self.tool.name}"), True
        if cache.when and env.holds(cache.when) is None:
            return NotKnown(f"it depends on {', '.join(cache.when)}, which is not known here"), True
        for way in cache.moved_by:
            if way.when and env.holds(way.when) is False:
                continue
            value = env.way(way)
            if value is None:
                continue
            if isinstance(value, Known) and way.when and env.holds(way.when) is None:
                value = NotKnown(f"whether {way.label} counts is not known")
            placed = self._moved(way, value)
            return placed, isinstance(placed, Known) and (placed.from_image or placed.weak)
        return self._default(cache), True

    def _moved(self, way: Way, value: Known | NotKnown) -> Known | NotKnown:
        if isinstance(value, NotKnown):
            return value
        text = value.text.split(way.split)[0] if way.split else value.text
        if text.startswith("~") and value.variable:
            return NotKnown(f"{value.because} holds a ~, which few tools understand")
        path = self._env.absolute(f"{text.rstrip('/')}/{way.below}" if way.below else text)
        if isinstance(path, NotKnown):
            return path
        return Known(path, value.because, value.span, value.variable, value.from_image, value.weak)

    def _default(self, cache: CacheDir) -> Known | NotKnown:
        template = cache.path
        if cache.root_path:
            root = self.is_root
            if root is None:
                return NotKnown("whether this runs as root is not known, and that decides it")
            template = cache.root_path if root else cache.path
        if not template:
            return NotKnown(f"{self.tool.name} has none unless it is told")
        if cache.root_file:
            roots = self._env.roots(cache)
            if not roots:
                return NotKnown("the root of the project is not known")
            template = posixpath.join(roots[0], template)
        filled = self._env.template(template)
        if isinstance(filled, NotKnown):
            return filled
        path, used = filled
        because = f"the default of {self.tool.name}"
        if used:
            because += ", from " + " and ".join(dict.fromkeys(item.because for item in used))
        span = next((item.span for item in used if item.span), None)
        return Known(path, because, span, next((item.variable for item in used), ""))

    def _alternatives(self, cache: CacheDir, found: Known | NotKnown) -> Iterator[str]:
        if isinstance(found, NotKnown):
            return
        templates: list[str] = []
        if found.weak and cache.path and not cache.root_file:
            templates = [cache.path]
        if found.weak or found.because.startswith("the default of"):
            templates += cache.alternatives
        if cache.root_file and (found.weak or found.because.startswith("the default of")):
            roots = self._env.roots(cache)
            templates += [posixpath.join(root, cache.path) for root in roots]
        for template in templates:
            filled = self._env.template(template)
            if not isinstance(filled, NotKnown) and filled[0] != found.text:
                yield filled[0]


def find_tool_uses(
    commands: Commands,
    scope: Scope,
    knowledge: Knowledge,
    config: ConfigReader,
    earlier: Sequence[Invocation] = (),
) -> tuple[ToolUse, ...]:
    """Return the uses of known tools in a RUN, in order.

    ``earlier`` are the invocations of earlier RUNs of the stage chain: one of them may have stored
    a setting (``yarn config set cache-folder``).
    """
    uses: list[ToolUse] = []
    before = Earlier(earlier)
    for invocation in commands.items:
        if invocation.program:
            for tool, command in knowledge.commands_for(invocation.program):
                env = ToolEnvironment(tool, command, invocation, scope, config, before)
                use = ToolUse(tool, command, invocation, env)
                if use.applies is not False:
                    uses.append(use)
                    uses.extend(_guests(use, env, knowledge, {tool.id}))
        before.items.append(invocation)
    return tuple(uses)


def _guests(
    use: ToolUse, host: ToolEnvironment, knowledge: Knowledge, seen: set[str]
) -> Iterator[ToolUse]:
    """Yield the tools that a tool surely runs: their caches count, their flags are unseen."""
    for name in use.tool.starts:
        tool = knowledge.tool(name)
        if tool is None or name in seen or use.uses is False:
            continue
        seen.add(name)
        command = tool.commands[0]
        env = ToolEnvironment(
            tool, command, use.invocation, host.scope, host.config, host.earlier, guest=True
        )
        yield ToolUse(tool, command, use.invocation, env, use)


def relation_to(target: str, use: ToolUse) -> Relation:
    """Tell how a mount lies to the directories that a use has: the closest relation counts.

    ``unknown`` when none is known to match and the place of one that may be meant is not known.
    """
    answers = {item.relation(target) for item in use.directories}
    return next((one for one in _BEST if one in answers), "none")


def may_be_for_another(target: str, uses: Sequence[ToolUse], knowledge: Knowledge) -> bool:
    """Tell whether a mount may serve a tool that one of these tools starts by itself.

    ``npm ci`` runs install scripts: a mount that looks like another tool's directory is not idle
    beside it.
    """
    here = {use.tool.id for use in uses}
    claiming = {claim.tool.id for claim in knowledge.claims(target)}
    # Build output in a relative directory of one name is nobody's but that of the tool that is here.
    others = set() if _is_output(target, uses) else claiming - here
    for use in uses:
        left = others.difference(use.tool.never_starts)
        if left and ("*" in use.may_start or not left.isdisjoint(use.may_start)):
            return True
    return False


def _is_output(target: str, uses: Sequence[ToolUse]) -> bool:
    found = (item for _, item in meant(target, uses))
    return any(item.used is True and item.cache.kind is Kind.BUILD for item in found)


def meant(target: str, uses: Iterable[ToolUse]) -> Iterator[tuple[ToolUse, UsedDirectory]]:
    """Yield the directories that somebody means who mounts ``target``, by its looks."""
    for use in uses:
        for item in use.directories:
            if looks_like(target, item.cache):
                yield use, item
