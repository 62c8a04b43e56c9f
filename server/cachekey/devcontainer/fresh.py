"""Whether the user may write to a volume that nobody has mounted yet.

Unlike one that stands in the files already, what could not be read has never heard of its place: an
unread script or feature hands nothing over that is not there.
"""

from __future__ import annotations

from typing import Literal

from cachekey.devcontainer.container import Container
from cachekey.devcontainer.imageowner import owner_in_image
from cachekey.devcontainer.ownership import ROOT_HOME, given_by, reachable, unwritable_at
from cachekey.devcontainer.paths import covers

Right = Literal["yes", "no", "unknown"]


def may_write_when_new(place: str, container: Container) -> Right:
    """Tell whether the user may write to a new volume on ``place`` (absolute, in the container)."""
    user = container.user
    if user is None:
        return "unknown"
    if user.root:
        return "yes"
    if covers(ROOT_HOME, place) and reachable(place, container) != place:
        return "no"
    if given_by(place, container) is not None:
        return "yes"
    owner = owner_in_image(place, container)
    if owner is None:
        return "no" if unwritable_at(place, container) is not None else "unknown"
    return "yes" if owner == "user" else "no"
