"""From TOML tables to records of images, and from an image reference to its record."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cachekey.knowledge.image_records import Image, Ships, User
from cachekey.knowledge.patterns import matches
from cachekey.knowledge.reader import Problem, Table
from cachekey.knowledge.records import Confidence
from cachekey.record import record, replace

_ROOT = User("root", 0, 0, "/root")


class Reference(NamedTuple):
    """An image reference taken apart."""

    repository: str
    """With registry: ``docker.io/library/python``."""
    tag: str
    """``latest`` when there is none; :data:`HOLE` stands for what is not known in it."""


PLAIN = Image(
    *("", "an image that sets nothing", "", ""),
    Confidence.REMEMBERED,
    match=(),
    user=None,
    home=None,
    family=None,
    users=(),
    env={},
    facts={},
    ships=(),
    own=(),
    lacks=(),
    holds=(),
    tools=(),
    workdir=None,
    note="",
)
"""What is supposed of an image that nobody knows, where no more than a hint comes of it."""

HOLE = "\0"
"""Stands for a variable whose value is not known; the data's globs never hold it."""

_DIGEST = re.compile(r"@[^@/]*\Z")
_VARIABLE = re.compile(r"\$\{[^{}]*\}|\$\w+")
_WORD = re.compile(r"[a-z]{3}")


def read_reference(text: str, mirrors: Mapping[str, str]) -> Reference | None:
    """Take a reference apart; None when the repository is not known or there is none."""
    text = _VARIABLE.sub(HOLE, _DIGEST.sub("", text.strip()))
    head, slash, last = text.rpartition("/")
    name, _, tag = last.partition(":")
    repository = f"{head}{slash}{name}".lower()
    if not name or HOLE in repository or "$" in text or any(char.isspace() for char in text):
        return None
    first = repository.split("/", 1)[0]
    registry = "/" in repository and (first == "localhost" or "." in first or ":" in first)
    if not registry:
        repository = "docker.io/" + (repository if "/" in repository else f"library/{repository}")
    for mirror, meant in mirrors.items():
        if repository.startswith(mirror + "/"):
            rest = repository[len(mirror) + 1 :]
            repository = (
                f"{meant}/{rest}" if "/" in meant or "/" in rest else (f"{meant}/library/{rest}")
            )
            break
    return Reference(repository, tag or "latest")


@record(frozen=True)
class Variant:
    """What some tags change; fields are applied over the image's."""

    tags: tuple[str, ...]
    changes: Mapping[str, Any]
    env: Mapping[str, str | None]
    facts: Mapping[str, str]
    rare: bool
    """Nobody means it by a tag that is not known."""

    def may_fit(self, tag: str) -> bool:
        """Tell whether a tag with holes may be this variant.

        A tag that has a word beside the hole (``${V}-slim``) has its version in the hole, so that
        only variants of other versions remain.
        """
        if self.rare:
            return False
        return _WORD.search(tag) is None or any(not _WORD.search(glob) for glob in self.tags)


@record(frozen=True)
class ImageRecord:
    """One entry of a file: the image and its variants."""

    image: Image
    variants: tuple[Variant, ...]

    def fits(self, repository: str) -> bool:
        """Tell whether a repository is one of this image's."""
        return any(matches(repository, glob) for glob in self.image.match)

    def at(self, tag: str) -> Image:
        """Return the image of this tag; where it has holes, only what all that fit agree on."""
        image = self.image
        for variant in self.variants:
            if any(matches(tag, glob) for glob in variant.tags):
                image = replace(
                    image,
                    **variant.changes,
                    env={**image.env, **variant.env},
                    facts={**image.facts, **variant.facts},
                )
            elif HOLE in tag and variant.may_fit(tag):
                image = _blur(image, variant)
        return image


def _blur(image: Image, variant: Variant) -> Image:
    """Drop from an image what a variant that may or may not apply would change."""
    changes = {key: _common(getattr(image, key), value) for key, value in variant.changes.items()}
    env = {
        key: value if image.env.get(key) == value else None for key, value in variant.env.items()
    }
    facts = {
        key: value for key, value in image.facts.items() if variant.facts.get(key, value) == value
    }
    return replace(image, **changes, env={**image.env, **env}, facts=facts)


def _common(mine: Any, other: Any) -> Any:
    if isinstance(mine, tuple):
        return tuple(item for item in mine if item in other)
    return mine if mine == other else None


_TEXTS = ("user", "home", "family", "workdir", "note")


def parse_image(
    name: str, data: Mapping[str, Any], problems: list[Problem], *, own: bool = False
) -> ImageRecord:
    """Read one image; for own ones the name is the repository, unless ``match`` says more."""
    table = Table(data, (name,), problems)
    env = _env(table)
    image = Image(
        id=table.text("id", name),
        name=table.text("name", name),
        source=table.text("source", "your settings" if own else "", required=not own),
        date=table.text("date", required=not own),
        confidence=table.choice(
            "confidence", Confidence, Confidence.DOCUMENTED if own else Confidence.REMEMBERED
        ),
        match=table.texts("match", _own_match(name) if own else ()),
        user=table.text("user", "root")
        if table.data.get("user") != "?"
        else table.optional("user"),
        home=table.optional("home"),
        family=table.optional("family"),
        users=_users(table) or (),
        env=env,
        facts=table.mapping("facts"),
        ships=_ships(table) or (),
        own=table.texts("own"),
        lacks=table.texts("lacks"),
        holds=table.texts("holds"),
        tools=table.texts("tools"),
        workdir=table.optional("workdir"),
        note=table.text("note"),
    )
    variants = tuple(_variant(item) for item in table.tables("variants"))
    table.close()
    if not image.match:
        table.complain("'match' is missing")
    return ImageRecord(_with_home(image), variants)


def _with_home(image: Image) -> Image:
    """Fill the default user's home from the users, when it is not said."""
    if image.home is not None or image.user is None:
        return image
    user = image.user_named(image.user.split(":", 1)[0])
    return replace(image, home=user.home if user else None)


def _own_match(name: str) -> tuple[str, ...]:
    reference = read_reference(name, {})
    return (reference.repository,) if reference else ()


def _variant(table: Table) -> Variant:
    tags = table.texts("tags")
    changes: dict[str, Any] = {key: table.optional(key) for key in _TEXTS if key in table.data}
    users, ships = _users(table), _ships(table)
    if users is not None:
        changes["users"] = users
    if ships is not None:
        changes["ships"] = ships
    facts, rare = table.mapping("facts"), table.flag("rare")
    variant = Variant(tags, changes, _env(table), facts, rare)
    table.asked.extend(_TEXTS)
    table.close()
    if not tags:
        table.complain("'tags' is missing")
    return variant


def _env(table: Table) -> dict[str, str | None]:
    return {key: None if value == "?" else value for key, value in table.mapping("env").items()}


def _users(table: Table) -> tuple[User, ...] | None:
    if "users" not in table.data:
        table.asked.append("users")
        return None
    users = []
    for item in table.tables("users"):
        name, uid = item.text("name"), item.number("uid")
        users.append(User(name, uid, item.number("gid"), item.optional("home")))
        item.close()
        if not name and uid is None:
            item.complain("a user needs a name or a uid")
    return tuple(users)


def _ships(table: Table) -> tuple[Ships, ...] | None:
    if "ships" not in table.data:
        table.asked.append("ships")
        return None
    ships = []
    for item in table.tables("ships"):
        ships.append(Ships(item.text("path", required=True), item.text("what", required=True)))
        item.close()
    return tuple(ships)


def find_image(records: Sequence[ImageRecord], reference: Reference) -> Image | None:
    """Return the image of a reference; of several records the first that fits."""
    for entry in records:
        if entry.fits(reference.repository):
            return entry.at(reference.tag)
    return None
