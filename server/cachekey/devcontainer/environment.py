"""The variables that a dev container's commands see, and what ``${…}`` becomes.

Source: Dev Containers CLI ``src/spec-common/variableSubstitution.ts``, ``injectHeadless.ts``.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Literal

from cachekey.devcontainer.makings import Makings, Place
from cachekey.devcontainer.users import Person
from cachekey.record import record
from cachekey.text import Mapped

Moment = Literal["image", "feature", "service", "containerEnv", "runArgs", "remoteEnv"]
_VARIABLE = re.compile(r"\$\{(\w+)(?::([^{}:]*))?(?::([^{}:]*))?[^{}]*\}")


@record(frozen=True)
class Setting:
    """An environment variable of the container, and the moment from which it is seen."""

    name: str
    text: str | None
    """``None``: set to something that only the host or the running container knows."""
    moment: Moment
    place: Place | None = None


@record(frozen=True, eq=False)
class Environment:
    """The variables of a container whose commands ``user`` runs."""

    made: Makings
    user: Person | None

    def settings(self, name: str) -> Iterator[Setting]:
        """Yield what sets a variable, the strongest last; an image's own variables come first."""
        yield from self._inherited(name)
        yield from self._written(name, ("containerEnv", "runArgs"))
        yield from self._written(name, ("remoteEnv",))

    def _written(self, name: str, places: Container[str]) -> Iterator[Setting]:
        """Yield what the file itself sets in one of these places."""
        document = self.made.document
        for item in document.env:
            if item.name != name or item.place not in places:
                continue
            late = item.place == "remoteEnv"
            text = self.fill(item.value, late).text if item.value is not None else "${}"
            place = Place(document.path, item.span)
            yield Setting(name, None if "${" in text else text, item.place, place)

    def _inherited(self, name: str) -> Iterator[Setting]:
        """Yield what the image, the features and the service set, before the file is asked."""
        made = self.made
        if made.stage is not None and name in made.stage.end.variables:
            variable = made.stage.end.variables[name]
            if variable.origin in ("env", "image"):
                value = variable.value
                place = None
                if variable.span is not None and made.dockerfile is not None:
                    place = Place(variable.path or made.dockerfile.path, variable.span)
                yield Setting(name, value.text if value.known else None, "image", place)
        elif made.image is not None and name in made.image.env:
            yield Setting(name, made.image.env[name], "image")
        for use in made.features:
            if use.known is not None and name in use.known.env:
                yield Setting(name, use.known.env[name], "feature")
        if made.service is not None and (entry := made.service.environment.get(name)) is not None:
            yield Setting(name, entry.text, "service", Place(entry.path, entry.span))

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

    def fill(self, text: Mapped, late: bool = True) -> Mapped:
        """Substitute the variables of a devcontainer.json that are known.

        ``late``: the container runs already, so that ``${containerEnv:…}`` has a value.
        """
        made = self.made
        known = {
            "containerWorkspaceFolder": made.folder,
            "containerWorkspaceFolderBasename": made.basename,
            "localWorkspaceFolderBasename": made.basename,
        }
        parts: list[Mapped] = []
        at = 0
        for match in _VARIABLE.finditer(text.text):
            value = known.get(match.group(1))
            if late and match.group(1) == "containerEnv" and match.group(2):
                value = self.running(match.group(2), match.group(3))
            if value is None:
                continue
            offset = text.offset(match.start())
            parts += [text.slice(at, match.start()), Mapped(value, ((0, offset),), offset)]
            at = match.end()
        return Mapped.join((*parts, text.slice(at)), text.offset(0)) if parts else text

    def running(self, name: str, default: str | None) -> str | None:
        """Return ``${containerEnv:NAME}``, a variable of the running container.

        ``remoteEnv`` is no part of it. HOME and USER are none: Docker sets them for each process,
        and the container's own configuration, which is what the tools look at, has them only from
        an ENV.
        """
        found = [*self._inherited(name), *self._written(name, ("containerEnv", "runArgs"))]
        if found:
            return found[-1].text
        return (default or "") if self.made.image is not None else None
