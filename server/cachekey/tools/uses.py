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

from cachekey.knowledge.paths import Relation, clean, is_own_place, looks_like
from cachekey.knowledge.patterns import any_fits, fits, has_option
from cachekey.knowledge.records import (
    CacheDir,
    Command,
    Confidence,
    Emptying,
    Hides,
    Kind,
    Passing,
    Suggestion,
    Tool,
)
from cachekey.knowledge.ways import Pattern, Way
from cachekey.record import cached_property, record
from cachekey.text import Span
from cachekey.tools.directories import Placing, UsedDirectory, closest
from cachekey.tools.earlier import Earlier
from cachekey.tools.environment import ConfigReader, Ships, ToolEnvironment
from cachekey.tools.switches import Disabled, find_switches
from cachekey.tools.values import Known, NotKnown

if TYPE_CHECKING:
    from cachekey.buildkit.scope import Scope, User
    from cachekey.commands.read import Commands, Invocation
    from cachekey.knowledge import Knowledge


_FILES = (".", ".tgz", ".tar.gz", ".whl", ".deb", ".rpm", ".apk")
"""How words end that name a file or folder of the project in the place of a package."""


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
    def cwd(self) -> str | None:
        """The directory that the tool works in, as its own options say it (`npm --prefix web`)."""
        return self._env.cwd

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
        placing = Placing(self._env, self.applies, self.uses)
        return tuple(
            placing.directory(cache)
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

    def makes(self, hides: Hides) -> bool:
        """Tell whether the subcommand puts something where a mount would hide it."""
        return self.own and any_fits(hides.made_by, self._env.line) is True

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
        if self.via is not None:
            # What it is told to do is not seen: all that it has counts.
            return max(self.tool.suggest, key=lambda one: len(one.mounts), default=None)
        found = (x for x in self.tool.suggest if any_fits(x.commands, self._env.line) is True)
        return next(found, None)

    @cached_property
    def tells_of_passing(self) -> Passing | None:
        """What the subcommand tells of that has ended with another RUN; None for others."""
        found = (item for item in self.tool.passing if fits(item.command, self._env.line) is True)
        return next(found, None)

    @cached_property
    def files(self) -> tuple[tuple[str, Span], ...]:
        """The files and folders that its words name to be read, absolute, and where they stand."""
        if not self.own or self.applies is not True:
            return ()
        return self._named((*self._words_of_files(), *self._values_of(self.tool.reads)))

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The absolute paths that its options name for what it makes (``go build -o /out/app``)."""
        if not self.own or self.applies is not True or self.uses is not True:
            return ()
        return tuple(path for path, _ in self._named(self._values_of(self.tool.writes)))

    def _named(self, words: Iterable[tuple[str, int]]) -> tuple[tuple[str, Span], ...]:
        return tuple(
            (clean(path), self.invocation.args[index].span)
            for text, index in words
            if (path := posixpath.join(self._env.cwd or "", text)).startswith("/")
        )

    def _words_of_files(self) -> Iterator[tuple[str, int]]:
        item, line = self.invocation, self._env.line
        if any_fits(self.command.reads, line) is True:
            for index in line.word_places:
                text = item.resolve(item.args[index], globs=True) or ""
                # Without a folder in front it is a package's name.
                if text.startswith(("/", "./", "../")):
                    yield text, index

    def _values_of(self, options: Iterable[str]) -> Iterator[tuple[str, int]]:
        texts = self.invocation.texts
        for name in options:
            at = has_option(name, self._env.line)
            if at is None:
                continue
            inline = (texts[at] or "").partition("=")[2]
            index = at if inline else at + 1
            text = inline or (texts[index] if index < len(texts) else None)
            if text and "://" not in text:
                yield text, index

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
        return plain and not any("/" in word or word.endswith(_FILES) for word in words)

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


def find_tool_uses(
    commands: Commands,
    scope: Scope,
    knowledge: Knowledge,
    config: ConfigReader,
    earlier: Sequence[Invocation] = (),
    ships: Ships = lambda _path: False,
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
                env = ToolEnvironment(tool, command, invocation, scope, config, before, ships=ships)
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
        earlier, ships = host.said.earlier, host.ships
        env = ToolEnvironment(
            tool, command, use.invocation, host.scope, host.config, earlier, True, ships
        )
        yield ToolUse(tool, command, use.invocation, env, use)


def relation_to(target: str, use: ToolUse) -> Relation:
    """Tell how a mount lies to the directories that a use has: the closest relation counts.

    ``unknown`` when none is known to match and the place of one that may be meant is not known.
    """
    return closest({item.relation(target) for item in use.directories})


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
    return any(
        (item.used is True or item.aside) and item.cache.kind is Kind.BUILD for item in found
    )


def meant(target: str, uses: Iterable[ToolUse]) -> Iterator[tuple[ToolUse, UsedDirectory]]:
    """Yield the directories that somebody means who mounts ``target``, by its looks.

    A directory's own place comes first: `/var/cache/libdnf5` is dnf5's, though it looks like dnf's.
    """
    found = [
        (use, item) for use in uses for item in use.directories if looks_like(target, item.cache)
    ]
    found.sort(key=lambda one: not is_own_place(target, one[1].cache))
    yield from found
