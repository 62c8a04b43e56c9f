"""What one tool sees of the world: its command line, variables, HOME, configuration, image.

Every question is answered with a value, with None (surely not set), or with a reason why nobody
can know; a reason is text for a hover.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from cachekey.commands.accounts import resolve_user
from cachekey.knowledge.image_records import Image
from cachekey.knowledge.paths import UnknownValueError, clean, expand_template
from cachekey.knowledge.patterns import CommandLine, matches
from cachekey.knowledge.records import CacheDir, Command, Confidence, Tool
from cachekey.knowledge.ways import Way
from cachekey.record import cached_property
from cachekey.tools.configs import Unreadable, config_value
from cachekey.tools.earlier import Earlier
from cachekey.tools.spoken import Spoken, assigned
from cachekey.tools.values import Known, NotKnown

if TYPE_CHECKING:
    from cachekey.buildkit.scope import Scope, User
    from cachekey.commands.read import Invocation

ConfigReader = Callable[[str], "str | None"]
"""Gives the text of a file of the project by its path from the Dockerfile's folder, or of the file
that lies at an absolute path of the image; or None."""
Ships = Callable[[str], bool]
"""Tells whether the Dockerfile itself names and brings the file of this path of the image."""

_MOST_FOLDERS = 8
"""Folders that the root of a project is looked for in."""


class ToolEnvironment:
    """The surroundings of one invocation of one tool."""

    def __init__(
        self,
        tool: Tool,
        command: Command,
        invocation: Invocation,
        scope: Scope,
        config: ConfigReader,
        earlier: Earlier,
        guest: bool = False,
        ships: Ships = lambda _path: False,
    ) -> None:
        """Take the invocation; a ``guest`` tool is run by the invoked one, unseen flags and all."""
        self.tool, self.command, self.invocation = tool, command, invocation
        self.scope, self.config, self.ships = scope, config, ships
        self.said = Spoken(tool, command, invocation, earlier, guest)

    @property
    def image(self) -> Image | None:
        """What the image table knows of the stage's base."""
        return self.scope.base.facts

    @property
    def line(self) -> CommandLine:
        """The command line, told apart by this tool's options."""
        return self.said.line

    # -- values ---------------------------------------------------------------------------------

    def way(self, way: Way) -> Known | NotKnown | None:
        """Return what one way says, before ``below`` is appended."""
        if way.flag:
            # The options of a program that only calls the tool are its own.
            return self.said.flag(way.flag, way.key) if not self.command.through else None
        if way.env:
            return self.variable(way.env, way.ignore_case)
        if way.word:
            return self.said.word(way)
        if way.argument:
            return self._argument()
        if way.config:
            return self.configured(way)
        if way.command is not None:
            return self.said.stored(way)
        if way.program:
            called = self.invocation.program == way.program
            return Known(way.program, "the program's name") if called else None
        fact = self.image.facts.get(way.fact) if self.image else None
        if fact is None:
            return None
        return Known(fact, f"the base image {self._image_name}", from_image=True)

    def _argument(self) -> Known | NotKnown | None:
        """Return the last word of the command line that is no option."""
        line = self.line
        if not line.words:
            return None
        text = line.words[-1]
        if text is None or not self.invocation.args_known:
            return NotKnown("its last word is not known")
        return Known(text, "its last word", self.invocation.args[line.word_places[-1]].span)

    def variable(self, name: str, ignore_case: bool = False) -> Known | NotKnown | None:
        """Return an environment variable as the tool sees it; an empty one counts as not set."""
        for one in self._spellings(name) if ignore_case else (name,):
            found = self._variable(one)
            if isinstance(found, NotKnown) or (found is not None and found.text):
                return found
        return None

    def _spellings(self, name: str) -> Iterable[str]:
        """Return the names in force that equal ``name`` but for case."""
        low = name.lower()
        mine = [one for one in (*self.invocation.env, *self.scope.variables) if one.lower() == low]
        return mine or (name,)

    def _variable(self, name: str) -> Known | NotKnown | None:
        item = self.invocation
        if name in item.env:
            setting = item.env[name]
            if setting.text is None:
                return NotKnown(f"the value of {name} in this RUN is not known")
            return Known(setting.text, f"{name} in this RUN", setting.span, name)
        if name in item.unset:
            return None
        if not item.environment_known:
            return NotKnown(f"a script that this RUN reads may set {name}")
        if item.clears_environment:
            return None
        if name in self.scope.variables:
            return self._in_scope(name)
        if self.scope.base.is_scratch:
            return None
        image = self.image
        if image is None:
            return NotKnown(f"the base image {self._image_name} is not known, it may set {name}")
        if name in image.env:
            value = image.env[name]
            if value is None:
                return NotKnown(f"what {self._image_name} sets {name} to is not known")
            return Known(value, f"{name} of the base image", None, name, from_image=True)
        return None

    def _in_scope(self, name: str) -> Known | NotKnown:
        variable = self.scope.variables[name]
        if not variable.value.known:
            return NotKnown(f"{name} is set to something that the file does not tell")
        text = variable.value.text
        if variable.origin == "image":
            return Known(text, f"{name} of the base image", None, name, from_image=True)
        span = variable.span if variable.path is None else None
        word = "ENV" if variable.origin == "env" else "ARG"
        return Known(text, f"{word} {name}", span, name)

    @property
    def _image_name(self) -> str:
        return self.scope.base.reference.text

    def configured(self, way: Way) -> Known | NotKnown | None:
        """Return what a configuration file of the project says."""
        text = self._config_text(way.config)
        if text is None:
            return None
        weak = not self._is_shipped(way.config)
        if not way.key:
            return Known(way.value, way.config, weak=weak) if way.text in text else None
        value = config_value(way.config, text, way.key)
        if value is None:
            return None
        if isinstance(value, Unreadable) or "${" in value:
            return NotKnown(f"{way.key} in {way.config} cannot be read")
        return Known(way.value or value, f"{way.key} in {way.config}", weak=weak)

    def _is_shipped(self, name: str) -> bool:
        """Tell whether the file surely is where the tool looks for it."""
        path = self._place_of(name)
        return path is not None and self.ships(path)

    def _config_text(self, name: str) -> str | None:
        """Return a file as the tool finds it: what COPY took to its directory, else the project's."""
        path = self._place_of(name)
        text = None if path is None else self.config(path)
        return self.config(name) if text is None and name[:1] != "$" else text

    def _place_of(self, name: str) -> str | None:
        """Return where a tool looks for a file: in its working directory, or as a template tells."""
        if name[:1] != "$":
            return None if self.cwd is None else posixpath.join(self.cwd, name)
        found = self.template(name)
        return None if isinstance(found, NotKnown) else found[0]

    # -- places ---------------------------------------------------------------------------------

    @cached_property
    def home(self) -> Known | NotKnown:
        """The home directory that the tool goes by."""
        item, scope = self.invocation, self.scope
        if self.tool.home == "HOME":
            moved = "HOME" in item.env or "HOME" in item.unset or not item.environment_known
            if moved or (item.user is None and "HOME" in scope.variables):
                found = self._variable("HOME")
                if found is not None:
                    return found
            if item.user is not None and not item.home_reset:
                return NotKnown(f"whether HOME is that of {item.user} is not known")
        user = self.user
        if user is None or user.home is None:
            who = item.user or scope.user.label
            return NotKnown(f"the home directory of {who} is not known")
        return Known(user.home, f"the home directory of {user.label}")

    @cached_property
    def user(self) -> User | None:
        """Who runs the tool, None when nothing is known."""
        item, user = self.invocation, self.scope.user
        if item.user is not None:
            if not item.user_known:
                return None
            return resolve_user(item.user, self.scope.accounts, self.scope.accounts_complete)
        return user if user.account is not None else None

    @cached_property
    def cwd(self) -> str | None:
        """The directory that relative paths are relative to, None when it is not known."""
        place = self.invocation.cwd
        for flag in self.tool.cwd_flags:
            moved = self.said.flag(flag)
            if isinstance(moved, NotKnown) or (moved and place is None):
                return None
            if moved is not None and place is not None:
                place = posixpath.join(place, moved.text)
        return place

    def roots(self, cache: CacheDir) -> tuple[str, ...]:
        """Return the folders of which one is the project's root, the likeliest first; () where none is known.

        More than one: the files of the project do not tell, since they are not to be seen.
        """
        start = self._project()
        if start is None:
            return ()
        above = [start]
        while len(above) < _MOST_FOLDERS and posixpath.dirname(above[-1]) != "/":
            above.append(posixpath.dirname(above[-1]))
        if start == "/":
            return (start,)
        texts = [self.config(posixpath.join(folder, cache.root_file)) for folder in above]
        if texts[0] is None:
            return tuple(above)
        for folder, text in zip(above, texts, strict=True):
            if text and config_value(cache.root_file, text, cache.root_key) is not None:
                return (folder,)
        return (start,)

    def _project(self) -> str | None:
        """Return the folder of the project that the command line names, by default the working directory."""
        for flag in self.tool.project_flags:
            named = self.said.flag(flag)
            if isinstance(named, NotKnown):
                return None
            if named is not None:
                path = self.absolute(named.text)
                return None if isinstance(path, NotKnown) else posixpath.dirname(path)
        for flag in self.tool.project_folders:
            named = self.said.flag(flag)
            if named is not None:
                path = named if isinstance(named, NotKnown) else self.absolute(named.text)
                return None if isinstance(path, NotKnown) else path
        return None if self.cwd is None else clean(self.cwd)

    def folder(self) -> Known | NotKnown:
        """Return the folder of the project whose file a word of the command line names."""
        words = self.line.words
        named = [word for word in words if word is None or self._is_project(word)]
        # Any further word (`build src/api`, a solution) may name another project.
        if len(named) != 1 or named[0] is None or words[-1] is not named[0]:
            return NotKnown("which project it builds is not known")
        path = self.absolute(named[0])
        if isinstance(path, NotKnown):
            return path
        return Known(posixpath.dirname(path), f"the project {named[0]}")

    def _is_project(self, word: str) -> bool:
        return any(matches(posixpath.basename(word), glob) for glob in self.tool.project_words)

    def absolute(self, path: str) -> str | NotKnown:
        """Make a path absolute, as the tool would."""
        if path.startswith("~"):
            home = self.home
            if isinstance(home, NotKnown) or path[1:2] not in ("", "/"):
                return NotKnown(f"what {path} means is not known")
            path = home.text + path[1:]
        if not path.startswith("/") and self.cwd is None:
            return NotKnown("the working directory is not known")
        return clean(path, self.cwd or "/")

    def template(self, template: str) -> tuple[str, list[Known]] | NotKnown:
        """Fill a path template in; also returns what was used."""
        used: list[Known] = []
        reasons: dict[str, str] = {}

        def look(name: str) -> str | None:
            found = self.home if name == "HOME" else self.variable(name)
            if isinstance(found, NotKnown):
                reasons[name] = found.reason
                raise UnknownValueError(name)
            if found is not None:
                used.append(found)
            return found.text if found else None

        try:
            text = expand_template(template, look)
        except UnknownValueError as error:
            name = str(error.args[0])
            return NotKnown(reasons.get(name, f"{name} is not set"))
        path = self.absolute(text)
        if isinstance(path, NotKnown):
            return path
        # A default that was not needed has been looked up all the same.
        return path, [item for item in used if path.startswith(item.text.rstrip("/"))]

    def followed(self, path: str) -> str:
        """Return where a path leads by the links that earlier commands have made."""
        return self.said.followed(path)

    # -- conditions -----------------------------------------------------------------------------

    def holds(self, when: Mapping[str, str]) -> bool | None:
        """Tell whether settings have the values asked for; None when that is not known."""
        answer: bool | None = True
        for name, want in when.items():
            value = self.setting(name)
            if value is None:
                answer = None
            elif not any(matches(value, glob) for glob in want.split("|")):
                return False
        return answer

    def in_words(self, names: Iterable[str]) -> str:
        """Say for a reader what settings of these names tell."""
        what = {item.name: item.what or item.name for item in self.tool.settings}
        return " and ".join(what.get(name, name) for name in names)

    def setting(self, name: str) -> str | None:
        """Return a setting of the tool (lower case), None when it is not known."""
        setting = self.tool.setting(name)
        if setting is None:
            return None
        for way in setting.sources:
            found = self.way(way)
            if isinstance(found, NotKnown):
                return None
            if found is not None:
                return (way.value or found.text).lower()
        return setting.default

    def is_called_through(self) -> bool | None:
        """Tell whether the program, where it is another one, calls this tool."""
        if not self.command.through:
            return True
        lists = (way.env for way in self.command.through if way.split)
        if any(matches(one, self.command.matches) for name in lists for one in self._items(name)):
            return True
        found = [self._through(way) for way in self.command.through if not way.split]
        said = (re.split(r"[ ;]", one.text)[0] for one in found if isinstance(one, Known))
        if any(matches(posixpath.basename(text), self.command.matches) for text in said):
            return True
        return None if any(isinstance(one, NotKnown) for one in found) else False

    def _items(self, name: str) -> list[str]:
        """Return the items of a list in a variable (``PATH``) that the file tells."""
        setting, variable = self.invocation.env.get(name), self.scope.variables.get(name)
        if setting is not None:
            return (setting.text or "").split(":")
        return variable.value.text.split(":") if variable is not None else []

    def _through(self, way: Way) -> Known | NotKnown | None:
        if way.env and assigned(self.invocation, way.env) is not None:
            # `make CC=gcc` does not look at the environment's CC.
            return None
        if not way.flag:
            return self.way(way)
        found = self.said.flag(way.flag, way.key)
        return self.said.flag_earlier(way) if found is None and way.earlier else found

    def confidence(self, own: Confidence, image: bool) -> Confidence:
        """Return the weaker of a record's confidence and, where it counted, the image's."""
        return Confidence.REMEMBERED if image and self.is_image_remembered else own

    @property
    def is_image_remembered(self) -> bool:
        """Tell whether what is known of the image is without proof."""
        return self.image is not None and not self.image.confidence.warns
