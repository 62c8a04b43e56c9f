"""What each option of ``RUN --mount=type=cache`` does, its default and its values.

Source: the Dockerfile reference (``RUN --mount``) and BuildKit ``commands_runmount.go``.
"""

from __future__ import annotations

from cachekey.buildkit.mounts import CANONICAL, Mount
from cachekey.markup.rich import Rich, lines

OPTIONS: dict[str, tuple[Rich, ...]] = {
    "type": lines(
        "**type**: what is mounted",
        "Values: `bind` (default), `cache`, `tmpfs`, `secret`, `ssh`",
        "Without `type=cache` this is a read-only bind of the build context, and no cache",
    ),
    "id": lines(
        "**id**: the name of the cache",
        "Default: the target as it is written, cleaned of `//`, `.` and a final slash",
        "Mounts with one `id` share one cache, whatever their target, stage, user or image",
        "Compared letter by letter; an empty value counts as absent",
        "A change of `id` leaves the step cached on a new BuildKit: the new cache fills later",
    ),
    "target": lines(
        "**target**: where the cache appears during this RUN",
        "Also `dst`, `destination`. Default: the working directory",
        "Names the cache unless there is an `id`",
        "`~` is an ordinary character; `$HOME` is empty unless ENV or ARG sets it",
        "A relative target lies below WORKDIR, but its text alone is the key",
    ),
    "sharing": lines(
        "**sharing**: what happens when two builds want the cache at once",
        "`shared` (default): both use it. `locked`: the second waits. `private`: it gets a new one",
        "Not in the key. A `locked` holder keeps out only those who ask for `locked` too",
    ),
    "mode": lines(
        "**mode**: mode of a new cache's directory, octal. Default `0755`",
        "The daemon's umask cuts it: in dockerd with umask 022, `0777` becomes `0755`",
        "Joins the key, even as `0755`; an existing cache keeps its mode",
    ),
    "uid": lines(
        "**uid**: owner of a new cache's directory, a number. Default `0`",
        "`USER` does not matter for it: without `uid` the directory is root's",
        "Joins the key, even as `0`; an existing cache keeps its owner",
    ),
    "gid": lines(
        "**gid**: group of a new cache's directory, a number. Default `0`",
        "It does not follow `uid`",
        "Joins the key, even as `0`; an existing cache keeps its group",
    ),
    "from": lines(
        "**from**: stage or image whose directory a new cache begins with",
        "Default: an empty directory. Variables are not allowed here",
        "Joins the key: another stage, or the stage rebuilt, is another cache",
    ),
    "source": lines(
        "**source**: directory inside the cache (or inside `from`) that is mounted. Default `/`",
        "Not in the key. It must exist, and `uid`, `gid`, `mode` do nothing beside it",
    ),
    "ro": lines(
        "**readonly**: the RUN may read the cache and not write to it. Default: it may write",
        "Also `ro`, `ro=true`; not in the key",
    ),
    "rw": lines(
        "**readwrite**: the RUN may write. That is the default of a cache mount",
        "Also `rw`; not in the key. Buildah refuses `rw` on a cache mount",
    ),
}


def option_lines(name: str, mount: Mount) -> tuple[Rich, ...]:
    """Return the explanation of an option of a cache mount, empty when there is none."""
    if mount.type != "cache" and name != "type":
        return ()
    return OPTIONS.get(CANONICAL.get(name, name), ())
