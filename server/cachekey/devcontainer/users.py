"""Who runs the commands and terminals of a dev container, and whether sudo is theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachekey.commands.accounts import resolve_user
from cachekey.devcontainer.makings import Makings, Place
from cachekey.devcontainer.metadata import metadata_label
from cachekey.devcontainer.substitution import literal
from cachekey.record import record
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Mapped


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


def user_of(made: Makings) -> Person | None:
    """Return who runs the lifecycle commands and terminals; ``None`` when nobody can tell."""
    document = made.document
    remote = document.remote_user
    if remote is not None:
        return _named(remote, "remoteUser", made)
    label = metadata_label(made)
    if label is not None and label.unread:
        return None
    name = label.remote_user if label is not None else _shipped_user(made)
    if name is not None:
        return _person(name, "the image's metadata", None, made)
    for said, where in ((document.run_user, "runArgs"), (document.container_user, "containerUser")):
        if said is not None:
            return _named(said, where, made)
    if label is None and made.image is None:
        # An image that nobody knows may name a remote user in its metadata.
        return None
    if label is not None and label.container_user is not None:
        return _person(label.container_user, "the image's metadata", None, made)
    return service_user(made)


def service_user(made: Makings) -> Person | None:
    """Return as whom a service or image runs that nobody develops in; ``None`` when nobody can tell."""
    service = made.service
    if service is not None and (user := service.setting("user")) is not None:
        text, place = service.literal("user"), Place(user.path, user.span)
        return _person(text, f"user of the service {service.name}", place, made) if text else None
    return _image_user(made)


def _named(written: Mapped, where: str, made: Makings) -> Person | None:
    text, place = literal(written), Place(made.document.path, span_in(written))
    return _person(text, where, place, made) if text and "$" not in text else None


def _shipped_user(made: Makings) -> str | None:
    """Return the remote user that the metadata of the image at the bottom names."""
    return made.image.facts.get("remote-user") if made.image is not None else None


def _image_user(made: Makings) -> Person | None:
    if made.stage is not None:
        user = made.stage.end.user
        if user.text is None or user.account is None:
            return None
        place = None
        if user.span is not None and made.dockerfile is not None:
            place = Place(made.dockerfile.path, user.span)
        return _person(user.text, "USER of the Dockerfile", place, made)
    if made.image is None or made.image.user is None:
        return None
    return _person(made.image.user, "the image", None, made)


def _person(text: str, because: str, place: Place | None, made: Makings) -> Person:
    name = text.partition(":")[0]
    if name in ("root", "0", ""):
        return Person("root", True, "/root", because, place)
    home = None
    if made.stage is not None:
        user = resolve_user(name, made.stage.end.accounts)
        home = user.home
        if user.is_root:
            return Person(name, True, home or "/root", because, place)
    elif made.image is not None:
        known = made.image.user_named(name)
        home = known.home if known is not None else None
    return Person(name, False, home, because, place)


_RIGHT = re.compile(r"sudoers|NOPASSWD|\bwheel\b|\bdoas\b|sudo:|-a?G\s*\S*sudo")
"""What gives a right: a line in sudoers, a group; installing the program gives none."""


_NAMED_RIGHT = re.compile(r"NOPASSWD:\s*(?:SETENV:\s*)?/[^\n'\"]*")
_RIGHTS_FILE = re.compile(r"/etc/sudoers\S*")


def sudo_only_named(made: Makings) -> bool:
    """Tell whether all rights that the Dockerfile gives are for named commands, so not for others."""
    if any(use.known is not None and use.known.sudo for use in made.features):
        return False
    fact = made.image.facts.get("sudo") if made.image is not None else None
    texts = [text for text in _texts(made) if _RIGHT.search(text)]
    if fact != "no" or not any(_NAMED_RIGHT.search(text) for text in texts):
        return False
    others = (_RIGHTS_FILE.sub("", _NAMED_RIGHT.sub("", text)) for text in texts)
    return not any(_RIGHT.search(text) for text in others)


def sudo_of(made: Makings) -> bool | None:
    """Tell whether the user may use sudo without a password; ``None`` when that is not known."""
    if any(use.known is not None and use.known.sudo for use in made.features):
        return True
    fact = made.image.facts.get("sudo") if made.image is not None else None
    if fact == "yes":
        return True
    if fact != "no" or made.foreign_features or (made.builds and made.stage is None):
        return None
    texts = list(_texts(made))
    if any(_RIGHT.search(text) for text in texts):
        return None
    unread = any(re.search(r"\.sh\b|\bcurl\b[^|;&]*\|", text) for text in texts)
    return None if unread else False


def _texts(made: Makings) -> Iterator[str]:
    """Yield what every step says, here-documents included."""
    for step in made.steps:
        yield step.instruction.args.text
        yield from (heredoc.body.text for heredoc in step.instruction.heredocs)
