"""What a cache mount is for, and who may write to it: the questions that several rules ask."""

from __future__ import annotations

from collections.abc import Iterable

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import ROOT, Scope, User
from cachekey.commands.accounts import resolve_user
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.records import Run
from cachekey.knowledge.records import CacheDir, Kind, Tool
from cachekey.record import record, remembered
from cachekey.tools.uses import ToolUse, meant, relation_to


@record(frozen=True)
class Purpose:
    """A directory of a tool that one mount holds."""

    use: ToolUse
    cache: CacheDir

    @property
    def tool(self) -> Tool:
        """Return the tool."""
        return self.use.tool

    @property
    def key(self) -> tuple[str, str]:
        """Return by what two mounts hold the same thing."""
        return (self.use.tool.id, self.cache.role)

    @property
    def is_download(self) -> bool:
        """Tell whether it is a download cache, which projects may share."""
        return self.cache.kind is Kind.DOWNLOAD


@remembered
def purpose_of(run: Run, mount: Mount) -> Purpose | None:
    """Tell which tool's directory a mount is meant to hold; None when no command of the RUN tells.

    A mount counts when the tool surely uses it, or when its target looks like the tool's directory
    below whatever home. What one tool keeps inside a directory of another (node_modules/.cache) is its own.
    """
    target = mount.directory
    if target is None:
        return None
    found: tuple[int, Purpose] | None = None
    for use in run.uses:
        for directory in use.directories:
            path = directory.path
            if path is not None and directory.relation(target) in ("exact", "part"):
                if found is None or (use.tool is not found[1].tool and len(path) > found[0]):
                    found = (len(path), Purpose(use, directory.cache))
    if found is not None:
        return found[1]
    for use, directory in meant(target, run.uses):
        return Purpose(use, directory.cache)
    return None


def writer(run: Run, mount: Mount | None = None) -> User | None:
    """Return the user as whom a RUN writes, into ``mount`` if that is given; None: nobody knows.

    Only the commands that use the mount write there, where such commands are known: `sudo apt-get`
    has no say in npm's cache.
    """
    if not run.commands.complete:
        return None
    items = run.commands.items
    if mount is not None and mount.directory is not None:
        own = [use.invocation for use in run.uses if _uses(use, mount.directory)]
        told = any(item.user is not None for item in own)
        if not told and run.scope.user.is_root is not True and _is_roots(run, mount.directory):
            # A script out of sight calls sudo, or leaves it alone; the tool itself just fails.
            return None
        items = tuple(own) or items
    if all(item.user is None for item in items):
        return run.scope.user
    # A wrapper (`su app -c`, `gosu app`) makes another user of all of them.
    names = {item.user if item.user_known else None for item in items}
    name = names.pop() if len(names) == 1 else None
    if name is None:
        return None
    return resolve_user(name, run.scope.accounts, run.scope.accounts_complete)


def is_remembered(scope: Scope, user: User) -> bool:
    """Tell whether only a remembered fact of the base image says who the user is.

    That is so without USER, and where USER gives a name that the file makes no account for.
    """
    facts = scope.base.facts
    if facts is None or facts.confidence.warns:
        return False
    account = user.account
    if user.span is None or account is None or account is ROOT:
        return user.span is None
    return account.name is not None and user.text == account.name and account.span is None


def _uses(use: ToolUse, folder: str) -> bool:
    return use.uses is not False and relation_to(folder, use) in ("exact", "part", "parent")


def _is_roots(run: Run, folder: str) -> bool:
    """Tell whether a directory is of tools that only root may run (``/var/cache/apt``)."""
    claims = run.knowledge.claims(folder)
    return bool(claims) and all(claim.tool.root_only for claim in claims)


def opens_up(run: Run, directory: str | None) -> bool:
    """Tell whether a RUN changes owner or mode of what it leaves in ``directory``.

    Any chmod or chown whose words cannot be read counts.
    """
    return run.effects.may_open(directory)


def users_differ(places: Iterable[Place]) -> bool:
    """Tell whether root and another user, or two users, write what these mounts hold."""
    users = [writer(place.run, place.mount) for place in places if not place.mount.readonly]
    known = {(user.uid if user.uid is not None else user.name) for user in users if user}
    return len(known - {None}) > 1


def is_guest(place: Place) -> bool:
    """Tell whether the RUN surely runs as somebody else than root."""
    user = writer(place.run, place.mount)
    return user is not None and user.is_root is False
