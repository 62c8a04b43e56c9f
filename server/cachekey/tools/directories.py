"""Where one invocation has the directories of its tool, and how a mount lies to them.

One unknown link makes the answer unknown: ``path`` is None and ``decided_by`` says what is missing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator
from itertools import takewhile

from cachekey.knowledge.paths import Relation, clean, relation
from cachekey.knowledge.patterns import any_fits, matches
from cachekey.knowledge.records import CacheDir, Confidence
from cachekey.knowledge.ways import Way
from cachekey.record import record, replace
from cachekey.text import Span
from cachekey.tools.environment import ToolEnvironment
from cachekey.tools.values import Known, NotKnown

_BEST: tuple[Relation, ...] = ("exact", "part", "parent", "unknown", "none")


def closest(answers: Collection[Relation]) -> Relation:
    """Return the closest of several relations; ``none`` where there is none."""
    return next((one for one in _BEST if one in answers), "none")


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
    aside: bool
    """It would, and takes a directory of its own instead, since nothing moves this one."""
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
    among: str
    """Glob of the place when nothing but a version keeps its path from being known; else empty."""
    children: tuple[str, ...]
    """Globs of all that the tool makes in there; empty: not known."""
    nowhere: bool
    """The tool has no such directory here: it must be told of one, and surely is not."""
    generations: bool
    """Nobody knows which of the tools of this name it is, and each keeps its cache in a place of its own."""
    confidence: Confidence
    way: Way | None = None
    """What has moved it; None: nothing, it has its default."""

    @property
    def heeds_pin(self) -> bool:
        """Tell whether the variable that pins the directory would count: nothing stronger moves it."""
        stronger = takewhile(lambda way: not way.is_env(self.cache.pin), self.cache.moved_by)
        return self.way is None or self.way not in tuple(stronger)

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
        place = self.path or self.among
        if place:
            answers.add(self._relation(target, place))
        if self.shaky or not (place or self.nowhere):
            answers.add("unknown")
        return closest(answers)

    def place_for(self, target: str) -> str | None:
        """Return which of the places that the directory may have a mount on ``target`` holds."""
        places = [path for path in (self.path, *self.also) if path is not None]
        answers = {path: self._relation(target, path) for path in places}
        best = closest(answers.values())
        return next((path for path in places if answers[path] == best), None)

    def _relation(self, target: str, path: str) -> Relation:
        answer = relation(target, path)
        if answer == "part" and self.children and path != self.among:
            child = clean(target)[len(clean(path)) :].lstrip("/").split("/")[0]
            if not any(matches(child, glob) for glob in self.children):
                return "none"
        return answer


def _is_fixed(cache: CacheDir) -> bool:
    """Tell whether nothing that a base image sets can move a directory (``/var/cache/zypp``)."""
    templates = (cache.path, cache.root_path)
    steady = all("$" not in template for template in templates) and not cache.relative
    return steady and not cache.when and not any(way.env or way.fact for way in cache.moved_by)


class Placing:
    """Finds the directories that the tool of one invocation has."""

    def __init__(self, env: ToolEnvironment, applies: bool | None, uses: bool | None) -> None:
        """Take the surroundings, and whether the program is this tool and uses any cache of it."""
        self._env, self._applies, self._tool_uses = env, applies, uses

    def directory(self, cache: CacheDir) -> UsedDirectory:
        """Return one directory of the tool with its place here."""
        found, image, way = self._place(cache)
        line, known = self._env.line, isinstance(found, Known)
        aside = known and way is None and any_fits(cache.aside, line) is True
        if isinstance(found, Known) and (leads := self._env.followed(found.text)) != found.text:
            found = replace(found, text=leads, because=f"a link in {found.text}", variable="")
        return UsedDirectory(
            cache=cache,
            path=found.text if isinstance(found, Known) else None,
            decided_by=found.because if isinstance(found, Known) else found.reason,
            span=found.span if isinstance(found, Known) else None,
            variable=found.variable if isinstance(found, Known) else "",
            also=tuple(self._alternatives(cache, found)) if known else (),
            used=False if aside else self._uses(cache),
            aside=aside,
            fills=any_fits(cache.filled_by, line) is True,
            linked=self._linked(cache),
            doors=self._doors(cache),
            shaky=image and self._env.is_image_remembered,
            needs=any_fits(cache.needed_by, line) is True,
            among=self._among(way) if way is not None and not known else "",
            children=(way.children if way is not None else ()) or cache.children,
            nowhere=not known and way is None and self._is_untold(cache),
            generations=self._is_one_of_several(cache),
            confidence=self._env.confidence(cache.confidence, image),
            way=way,
        )

    def _is_untold(self, cache: CacheDir) -> bool:
        """Tell whether a directory that has no default is the tool's for certain."""
        if not cache.only_told or self._applies is None:
            return False
        return not cache.when or self._env.holds(cache.when) is not None

    def _is_one_of_several(self, cache: CacheDir) -> bool:
        """Tell whether an unknown generation of the tool decides, and nothing else moves the place."""
        env, when = self._env, cache.when or self._env.tool.when
        if not when or env.holds(when) is not None:
            return False
        return all(env.way(way) is None for way in cache.moved_by)

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
        doors, cwd = cache.doors, self._env.invocation.cwd
        if doors is None or cwd is None or any_fits(doors.commands, self._env.line) is not True:
            return ()
        if any(self._env.way(way) is not None for way in doors.unless):
            return ()
        return tuple(posixpath.join(cwd, name) for name in doors.links)

    def _uses(self, cache: CacheDir) -> bool | None:
        if self._tool_uses is not True or not cache.used_by or self._env.said.guest:
            return self._tool_uses
        return any_fits(cache.used_by, self._env.line)

    def _place(self, cache: CacheDir) -> tuple[Known | NotKnown, bool, Way | None]:
        """Find a directory; whether the image table had a say in it; what has moved it."""
        env = self._env
        if self._applies is None:
            program = env.invocation.program
            if program and env.tool.name.casefold().startswith(program.casefold()):
                return NotKnown(f"nothing here tells which {program} it is"), True, None
            return (
                NotKnown(f"nothing here tells whether {program} calls {env.tool.name}"),
                True,
                None,
            )
        if cache.when and env.holds(cache.when) is None:
            reason = f"{env.in_words(cache.when)} is not known here, and that decides it"
            return NotKnown(reason), True, None
        open_to_image = bool(cache.when)
        for way in cache.moved_by:
            if way.when and env.holds(way.when) is False:
                continue
            value = env.way(way)
            # Where a home is, or a variable in the place of a file, the image says, too.
            open_to_image = open_to_image or way.config[:1] == "$"
            if value is None:
                # What the image does not set has a say as well.
                open_to_image = open_to_image or bool(way.env or way.config)
                continue
            if isinstance(value, Known) and way.when and env.holds(way.when) is None:
                value = NotKnown(f"whether {way.label} counts is not known")
            placed = self._moved(way, value)
            image = isinstance(placed, Known) and (placed.from_image or placed.weak)
            return placed, image or open_to_image, way
        told_by_image = any(way.fact for item in env.tool.settings for way in item.sources)
        open_to_image = not _is_fixed(cache) or bool(env.tool.when and told_by_image)
        return self._default(cache), open_to_image, None

    def _moved(self, way: Way, value: Known | NotKnown) -> Known | NotKnown:
        if isinstance(value, NotKnown):
            return value
        text = value.text.split(way.split)[0] if way.split else value.text
        if text.startswith("~") and value.variable:
            return NotKnown(f"{value.because} holds a ~, which few tools understand")
        if "*" in way.below:
            return NotKnown(f"a version that is not known here names it: {text}/{way.below}")
        path = self._env.absolute(f"{text.rstrip('/')}/{way.below}" if way.below else text)
        if isinstance(path, NotKnown):
            return path
        return Known(path, value.because, value.span, value.variable, value.from_image, value.weak)

    def _among(self, way: Way) -> str:
        """Return the glob of a directory that a known value moves, and that a version names."""
        value = self._env.way(way) if "*" in way.below and not way.split else None
        if not isinstance(value, Known) or value.weak or value.text.startswith("~"):
            return ""
        path = self._env.absolute(f"{value.text.rstrip('/')}/{way.below}")
        return path if isinstance(path, str) else ""

    def _default(self, cache: CacheDir) -> Known | NotKnown:
        template = cache.path
        if cache.root_path:
            user = self._env.user
            root = user.is_root if user else None
            if root is None:
                return NotKnown("whether this runs as root is not known, and that decides it")
            template = cache.root_path if root else cache.path
        if not template:
            return NotKnown(f"{self._env.tool.name} has none unless it is told")
        if cache.root_file:
            roots = self._env.roots(cache)
            if not roots:
                return NotKnown("the root of the project is not known")
            template = posixpath.join(roots[0], template)
        if cache.relative and self._env.tool.project_words:
            folder = self._env.folder()
            if isinstance(folder, NotKnown):
                return folder
            template = posixpath.join(folder.text, template)
        filled = self._env.template(template)
        if isinstance(filled, NotKnown):
            return filled
        path, used = filled
        because = f"the default of {self._env.tool.name}"
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
