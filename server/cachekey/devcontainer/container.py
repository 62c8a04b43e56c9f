"""The running container of a devcontainer.json: one record, whichever way it was configured.

Image, Dockerfile and target, or a service of compose files; features; who runs the commands; where
the workspace lies; variables by their moment; mounts with the file and span that say each; what the
lifecycle commands run. What nobody can know from here is ``None`` and named in ``unread``.

Source: Dev Containers CLI ``src/spec-node/imageMetadata.ts`` (merging), ``dockerCompose.ts``,
``singleContainer.ts``; containers.dev, *Dev Container metadata reference*.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Protocol

from cachekey.commands.accounts import resolve_user
from cachekey.devcontainer.compose import Composition, Service
from cachekey.devcontainer.lifecycle import Story, StoryReader
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.paths import covers, within, workspace_root
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.substitution import literal
from cachekey.dockerfile.records import Dockerfile, Stage
from cachekey.knowledge.features import Feature
from cachekey.record import cached_property, record
from cachekey.syntax.jsonc.parse import Member, span_in
from cachekey.text import Mapped, Span

if TYPE_CHECKING:
    from cachekey.knowledge import Image, Knowledge

Moment = Literal["image", "feature", "service", "containerEnv", "runArgs", "remoteEnv"]
_LABEL = "devcontainer.metadata"
_PROGRAMS = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin")


@record(frozen=True)
class Place:
    """Where something is said: a file and a span in it."""

    path: str
    span: Span


@record(frozen=True)
class Person:
    """The user who runs the container's commands and terminals."""

    name: str
    root: bool
    home: str | None
    because: str
    """Who decides it, in words: ``remoteUser``, ``the image's metadata``."""
    place: Place | None
    """Where it is said; ``None`` for the image."""


@record(frozen=True)
class Setting:
    """An environment variable of the container, and the moment from which it is seen."""

    name: str
    text: str | None
    """``None``: set to something that only the host or the running container knows."""
    moment: Moment
    place: Place | None = None


@record(frozen=True, eq=False)
class FeatureUse:
    """A feature in use and what is known of it."""

    member: Member
    known: Feature | None

    @property
    def name(self) -> str:
        """Return its reference as written."""
        return self.member.key.text

    def option(self, name: str) -> str | None:
        """Return the literal value of one of its options, where the file gives it."""
        node = self.member.value
        members = node.effective() if node is not None and node.kind == "object" else ()
        for member in members:
            if member.key.text == name and member.value is not None:
                return literal(member.value.text) if member.value.text is not None else None
        return None


class Texts(Protocol):
    """The files of the workspace."""

    def read(self, path: str) -> str | None:
        """Return the text of one, or None."""


@record(frozen=True, eq=False)
class Container:
    """What runs. Paths in it are the container's, but for those of files."""

    document: Devcontainer
    knowledge: Knowledge
    texts: Texts
    composition: Composition | None
    service: Service | None
    dockerfile: Dockerfile | None
    stage: Stage | None
    """The stage that the container is made of."""
    builds: bool
    """An image is built; its Dockerfile may still be out of sight."""
    reference: str | None
    """The image at the bottom as written, variables included."""
    image: Image | None
    """What is known of it."""
    features: tuple[FeatureUse, ...]
    context: str | None = None
    """The folder from which the image is built."""

    # -- users --------------------------------------------------------------------------------

    @cached_property
    def user(self) -> Person | None:
        """Return who runs the lifecycle commands and terminals; ``None`` when nobody can tell."""
        document = self.document
        for name in ("remoteUser", "containerUser"):
            written = document.root.string(name)
            if written is not None:
                if name == "containerUser" and (metadata := self._metadata_user) is not None:
                    return metadata
                text = literal(written)
                place = Place(document.path, span_in(written))
                return self._person(text, name, place) if text and "$" not in text else None
        if (metadata := self._metadata_user) is not None:
            return metadata
        if self._unknown_metadata:
            return None
        if self.service is not None and (said := self.service.setting("user")) is not None:
            text = self.service.literal("user")
            place = Place(said.path, said.span)
            return self._person(text, f"user of {self.service.name}", place) if text else None
        return self._image_user

    @property
    def _metadata_user(self) -> Person | None:
        name = self.image.facts.get("remote-user") if self.image is not None else None
        if name is None or self._relabelled:
            return None
        return self._person(name, "the image's metadata", None)

    @property
    def _unknown_metadata(self) -> bool:
        """Tell whether an image that nobody knows may name a remote user in its metadata."""
        return self.image is None or self._relabelled

    @cached_property
    def _relabelled(self) -> bool:
        steps = [step for link in self.stage.chain for step in link.steps] if self.stage else []
        return any(
            step.instruction.keyword == "LABEL" and _LABEL in step.instruction.args.text
            for step in steps
        )

    @property
    def _image_user(self) -> Person | None:
        if self.stage is not None:
            user = self.stage.end.user
            if user.text is None or user.account is None:
                return None
            place = None
            if user.span is not None and self.dockerfile is not None:
                place = Place(self.dockerfile.path, user.span)
            return self._person(user.text, "USER of the Dockerfile", place)
        if self.image is None or self.image.user is None:
            return None
        return self._person(self.image.user, "the image", None)

    def _person(self, text: str, because: str, place: Place | None) -> Person:
        name = text.partition(":")[0]
        if name in ("root", "0", ""):
            return Person("root", True, "/root", because, place)
        home = None
        if self.stage is not None:
            user = resolve_user(name, self.stage.end.accounts)
            home = user.home
            if user.is_root:
                return Person(name, True, home or "/root", because, place)
        elif self.image is not None:
            known = self.image.user_named(name)
            home = known.home if known is not None else None
        return Person(name, False, home, because, place)

    @property
    def sudo(self) -> bool | None:
        """Tell whether the user may use sudo without a password; ``None`` when that is not known."""
        if any(use.known is not None and use.known.sudo for use in self.features):
            return True
        fact = self.image.facts.get("sudo") if self.image is not None else None
        if fact == "yes":
            return True
        if fact != "no" or self.foreign_features or (self.builds and self.stage is None):
            return None
        texts = list(_build_texts(self.stage)) if self.stage is not None else []
        # A right is given by a line in sudoers; installing the program gives none.
        if any(
            re.search(r"sudoers|NOPASSWD|\bwheel\b|\bdoas\b|sudo:|-a?G\s*\S*sudo", t) for t in texts
        ):
            return None
        unread = any(re.search(r"\.sh\b|\bcurl\b[^|;&]*\|", text) for text in texts)
        return None if unread else False

    # -- the workspace ------------------------------------------------------------------------

    @property
    def root(self) -> str:
        """Return the opened folder as a path of the workspace."""
        return workspace_root(self.document.path)

    @property
    def basename(self) -> str:
        """Return the opened folder's name, as far as it is known here."""
        return posixpath.basename(self.root) or "workspace"

    @cached_property
    def folder(self) -> str | None:
        """Return where the workspace lies in the container."""
        written = self.document.root.string("workspaceFolder")
        if written is None:
            return "/" if self.document.compose else f"/workspaces/{self.basename}"
        text = self.path(written.text)
        return text if text is not None and text.startswith("/") else None

    @property
    def _parent(self) -> str:
        """Return the folder around the opened one."""
        return posixpath.normpath(posixpath.join(self.root, ".."))

    def path(self, written: str | None) -> str | None:
        """Return a path of the container cleaned and literal; ``None`` when a variable tells it."""
        if written is None:
            return None
        default = f"/workspaces/{self.basename}"
        for name in ("localWorkspaceFolderBasename", "containerWorkspaceFolderBasename"):
            written = written.replace(f"${{{name}}}", self.basename)
        if "${containerWorkspaceFolder}" in written:
            member = self.document.root.string("workspaceFolder")
            if member is not None and "${containerWorkspaceFolder}" in member.text:
                return None
            folder = self.folder
            written = written.replace("${containerWorkspaceFolder}", folder or "${}")
        if "$" in written:
            return None
        path = posixpath.normpath(written)
        if self.document.root.member("workspaceFolder") is None and not self.document.compose:
            # Whatever the folder is really called, what lies below /workspaces is it.
            path = re.sub(r"\A/workspaces/[^/]+", default, path)
        return path

    def place(self, mount: RuntimeMount) -> str | None:
        """Return a mount's target as a literal path of the container."""
        return self.path(mount.place)

    def in_workspace(self, path: str) -> bool:
        """Tell whether a path lies below the workspace's folder."""
        folder = self.folder
        return folder is not None and folder != "/" and path != folder and covers(folder, path)

    @cached_property
    def _binds(self) -> tuple[tuple[str, str], ...]:
        """Return pairs of a folder in the container and the workspace's path that is bound there."""
        found: list[tuple[str, str]] = []
        if self.service is None:
            mount = self.document.root.string("workspaceMount")
            if mount is None and self.folder is not None:
                found.append((self.folder, self.root))
            for item in self.mounts:
                source = item.source.text if item.source is not None else ""
                target = self.place(item)
                if item.type == "bind" and target and source.startswith("${localWorkspaceFolder}"):
                    rest = source.removeprefix("${localWorkspaceFolder}").lstrip("/")
                    found.append((target, posixpath.normpath(posixpath.join(self.root, rest))))
            return tuple(found)
        for item in self.service.mounts:
            target, source = self.place(item), item.source.text if item.source else ""
            if item.type == "bind" and target is not None and source.startswith("."):
                folder = self.service.folders.get(item.path, "")
                path = within(folder, source)
                if path is not None:
                    found.append((target, path))
                elif posixpath.normpath(posixpath.join(folder, source)) == self._parent:
                    # The folder around the opened one, as the templates write it.
                    found.append((posixpath.join(target, self.basename), self.root))
        return tuple(found)

    def find(self, path: str) -> tuple[str, str] | None:
        """Return path and text of a workspace's file by its path in the container."""
        for target, source in sorted(self._binds, key=lambda pair: -len(pair[0])):
            if covers(target, path):
                rest = path[len(target) :].strip("/")
                inside = within(source, rest) if rest else None
                text = self.texts.read(inside) if inside else None
                return (inside, text) if inside and text is not None else None
        return self._copied(path)

    def find_program(self, name: str) -> tuple[str, str] | None:
        """Return the same of a script that the Dockerfile puts into a directory of the PATH."""
        path = self.stage.end.variables.get("PATH") if self.stage is not None else None
        ahead = path.value.text.split(":") if path is not None else []
        for folder in (*(each for each in ahead if each.startswith("/")), *_PROGRAMS):
            found = self._copied(f"{folder.rstrip('/')}/{name}")
            if found is not None:
                return found
        return None

    def _copied(self, path: str) -> tuple[str, str] | None:
        """Return a file that a COPY of the build context puts at a path of the image."""
        if self.stage is None or self.context is None:
            return None
        for link in self.stage.chain:
            for step in reversed(link.steps):
                copied = step.copied
                if copied is None or copied.origin is not None or copied.target is None:
                    continue
                for source in copied.sources(path):
                    inside = within(self.context, source)
                    text = self.texts.read(inside) if inside else None
                    if inside and text is not None:
                        return inside, text
        return None

    # -- mounts and variables -----------------------------------------------------------------

    @cached_property
    def mounts(self) -> tuple[RuntimeMount, ...]:
        """Return the mounts that come into being, of the file and of the service."""
        inherited = self.service.mounts if self.service is not None else ()
        return (*inherited, *self.document.effective_mounts)

    def spot(self, mount: RuntimeMount) -> Span:
        """Return where the devcontainer.json speaks of a mount: its target, or the service."""
        if not mount.path:
            return span_in(mount.target) if mount.target is not None else mount.span
        for name in ("service", "dockerComposeFile"):
            member = self.document.root.member(name)
            if member is not None and member.value is not None:
                return member.value.span
        return mount.span

    def settings(self, name: str) -> Iterator[Setting]:
        """Yield what sets a variable, the strongest last; an image's own variables come first."""
        yield from self._inherited(name)
        for item in self.document.env:
            if item.name == name:
                text = self.value(item.value)
                yield Setting(name, text, item.place, Place(self.document.path, item.span))

    def _inherited(self, name: str) -> Iterator[Setting]:
        """Yield what the image, the features and the service set, before the file is asked."""
        if self.stage is not None and name in self.stage.end.variables:
            variable = self.stage.end.variables[name]
            if variable.origin in ("env", "image"):
                value = variable.value
                place = None
                if variable.span is not None and self.dockerfile is not None:
                    place = Place(variable.path or self.dockerfile.path, variable.span)
                yield Setting(name, value.text if value.known else None, "image", place)
        elif self.image is not None and name in self.image.env:
            yield Setting(name, self.image.env[name], "image")
        for use in self.features:
            if use.known is not None and name in use.known.env:
                yield Setting(name, use.known.env[name], "feature")
        if self.service is not None and (entry := self.service.environment.get(name)) is not None:
            yield Setting(name, entry.text, "service", Place(entry.path, entry.span))

    def value(self, text: Mapped | None) -> str | None:
        """Return a value of devcontainer.json filled in; ``None`` when only others know it."""
        if text is None:
            return None
        filled = self.fill(text).text
        return None if "${" in filled else filled

    def setting(self, name: str) -> Setting | None:
        """Return the setting of a variable that counts for commands and terminals."""
        found = list(self.settings(name))
        return found[-1] if found else None

    def lookup(self, name: str) -> str | None:
        """Return what a lifecycle command's shell knows as ``$name``."""
        found = self.setting(name)
        if found is not None:
            return found.text
        if name == "HOME":
            return self.home
        if name in ("USER", "LOGNAME"):
            return self.user.name if self.user is not None else None
        return None

    @property
    def home(self) -> str | None:
        """Return the user's home directory; by custom where no file tells it."""
        if self.user is None:
            return None
        return self.user.home or (None if self.user.name.isdigit() else f"/home/{self.user.name}")

    def fill(self, text: Mapped) -> Mapped:
        """Substitute the variables of a devcontainer.json that are known before it runs."""
        known = {
            "containerWorkspaceFolder": self.folder,
            "containerWorkspaceFolderBasename": self.basename,
            "localWorkspaceFolderBasename": self.basename,
        }
        parts: list[Mapped] = []
        at = 0
        for match in re.finditer(r"\$\{(\w+)(?::([^{}:]*))?[^{}]*\}", text.text):
            value = known.get(match.group(1))
            if match.group(1) == "containerEnv" and match.group(2):
                value = self._early(match.group(2))
            if value is None:
                continue
            offset = text.offset(match.start())
            parts += [text.slice(at, match.start()), Mapped(value, ((0, offset),), offset)]
            at = match.end()
        return Mapped.join((*parts, text.slice(at)), text.offset(0)) if parts else text

    def _early(self, name: str) -> str | None:
        """Return a variable of the running container as the image and the service set it."""
        if name == "HOME":
            return self.home
        # What the file itself sets may hold this very variable: `"PATH": "${containerEnv:PATH}:/x"`.
        found = list(self._inherited(name))
        return found[-1].text if found else None

    # -- commands -----------------------------------------------------------------------------

    @cached_property
    def story(self) -> Story:
        """Return what the lifecycle commands run, with the scripts that they call."""
        reader = StoryReader(
            self.document.path, self.lookup, self.fill, self.folder, self.find, self.find_program
        )
        for command in self.document.lifecycle:
            reader.read(command)
        return Story(tuple(reader.items), tuple(dict.fromkeys(reader.unread)))

    @property
    def featured_user(self) -> bool:
        """Tell whether a feature makes the user, by the name that the file gives to it."""
        name = self.user.name if self.user is not None else None
        return name is not None and any(
            use.known is not None and use.known.makes_user and use.option("username") == name
            for use in self.features
        )

    @property
    def foreign_features(self) -> bool:
        """Tell whether a feature is in use of which nothing is known."""
        return any(use.known is None for use in self.features)

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


def _build_texts(stage: Stage) -> Iterator[str]:
    """Yield what every step says, here-documents included."""
    for link in stage.chain:
        for step in link.steps:
            yield step.instruction.args.text
            yield from (heredoc.body.text for heredoc in step.instruction.heredocs)
