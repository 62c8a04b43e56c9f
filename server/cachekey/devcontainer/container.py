"""The running container of a devcontainer.json: one record, whichever way it was configured.

Image, Dockerfile and target, or a service of compose files; features; who runs the commands; where
the workspace lies; variables by their moment; mounts with the file and span that say each; what the
lifecycle commands run. What nobody can know from here is ``None`` and named in ``unread``.
"""

from __future__ import annotations

import posixpath
import re

from cachekey.devcontainer.environment import Environment
from cachekey.devcontainer.files import Files
from cachekey.devcontainer.lifecycle import Story, StoryReader
from cachekey.devcontainer.makings import Makings
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.paths import within
from cachekey.devcontainer.read import Lifecycle
from cachekey.devcontainer.users import Person, service_user, sudo_of, sudo_only_named, user_of
from cachekey.record import cached_property, record
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Mapped, Span

HOST_HOME = "/~home~"
"""The home of the host's user, as the commands of the host are read."""
_HOST = {"HOME": HOST_HOME}
_OF_HOST = re.compile(r"\$\{(?:(?:localEnv|env):(HOME|USERPROFILE)|localWorkspaceFolder)\}")


def _of_host(text: Mapped) -> Mapped:
    """Substitute what the file itself says of the host; one of the two homes is empty on any host."""
    parts: list[Mapped] = []
    at = 0
    for match in _OF_HOST.finditer(text.text):
        value = _HOST.get(match[1], "") if match[1] else "/"
        offset = text.offset(match.start())
        parts += [text.slice(at, match.start()), Mapped(value, ((0, offset),), offset)]
        at = match.end()
    return Mapped.join((*parts, text.slice(at)), text.offset(0)) if parts else text


@record(frozen=True, eq=False)
class Container(Makings):
    """What runs."""

    @cached_property
    def user(self) -> Person | None:
        """Return who runs the lifecycle commands and terminals; ``None`` when nobody can tell."""
        return user_of(self)

    @cached_property
    def sudo(self) -> bool | None:
        """Tell whether the user may use sudo without a password; ``None`` when that is not known."""
        return sudo_of(self)

    @cached_property
    def sudo_only_named(self) -> bool:
        """Tell whether sudo is the user's for some named commands alone."""
        return sudo_only_named(self)

    @cached_property
    def environment(self) -> Environment:
        """Return its variables."""
        return Environment(self, self.user)

    @property
    def home(self) -> str | None:
        """Return the user's home directory; by custom where no file tells it."""
        return self.environment.home

    @property
    def compose_folder(self) -> str:
        """Return the folder of the first compose file, from which Compose reads its ``.env``."""
        files = self.composition.files if self.composition is not None else ()
        return posixpath.dirname(files[0].path) if files else ""

    def spot(self, mount: RuntimeMount) -> Span:
        """Return where the devcontainer.json speaks of a mount: its target, or the service."""
        if not mount.path:
            return span_in(mount.target) if mount.target is not None else mount.span
        for name in ("service", "dockerComposeFile"):
            member = self.document.root.member(name)
            if member is not None and member.value is not None:
                return member.value.span
        return mount.span

    @cached_property
    def story(self) -> Story:
        """Return what the lifecycle commands run, with the scripts that they call."""
        return self.story_of(*self.document.lifecycle)

    def story_of(self, *commands: Lifecycle) -> Story:
        """Return what some of the lifecycle commands run."""
        here, files = self.environment, Files(self)
        reader = StoryReader(here.lookup, here.fill, self.folder, files.find, files.ships)
        for command in commands:
            reader.read(command)
        return Story(tuple(reader.items), tuple(dict.fromkeys(reader.unread)))

    @cached_property
    def host_story(self) -> Story:
        """Return what ``initializeCommand`` runs on the host.

        The opened folder is its ``/``, the home of its user :data:`HOST_HOME`.
        """
        reader = StoryReader(_HOST.get, _of_host, "/", self._opened, lambda name: None)
        if self.document.initialize is not None:
            reader.read(self.document.initialize)
        unread = tuple(dict.fromkeys(reader.unread))
        return Story(tuple(reader.items), unread, tuple(reader.suspects))

    def _opened(self, path: str) -> tuple[str, str] | None:
        """Return path and text of a file of the opened folder by its path below that."""
        inside = within(self.root, path.strip("/"))
        text = self.texts.read(inside) if inside else None
        return (inside, text) if inside and text is not None else None

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """Return what of the container is not known, in words for a hover."""
        found = [f"the feature {use.name}" for use in self.features if use.known is None]
        if self.composition is not None:
            found += self.composition.unread
            if self.service is None:
                found.append("the service")
            else:
                found += (why for why in self.service.unread if why not in found)
        if self.builds and self.stage is None:
            found.append("the Dockerfile")
        elif self.image is None:
            found.append(f"the image {self.reference}" if self.reference else "the image")
        return (*dict.fromkeys(found), *self.story.unread)


@record(frozen=True, eq=False)
class PlainService(Container):
    """A service of compose files that no devcontainer.json names: nobody develops in it."""

    @cached_property
    def user(self) -> Person | None:
        """Return who runs its command; ``None`` when nobody can tell."""
        return service_user(self)

    @cached_property
    def folder(self) -> str | None:
        """Return nothing: no workspace lies in it."""
        return None
