"""Who a user is: what USER names, and the accounts that a RUN makes with useradd and its kin.

Sources: the manuals of useradd(8), usermod(8) (shadow), adduser(8) (Debian) and BusyBox adduser.
Only what is written counts: a uid that the tool would choose itself stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from cachekey.buildkit.scope import ROOT, Account, User
from cachekey.record import replace

if TYPE_CHECKING:
    from cachekey.commands.read import Invocation

_MAKES_USERS = re.compile(r"\b(?:useradd|adduser|usermod|groupmod|groupadd|addgroup|passwd)\b")
MOST_ACCOUNTS = 256
"""Accounts of a file that are kept in mind; the others are names without a number."""
_NUMBER = re.compile(r"[0-9]+\Z")

# Options that take a value, per program; all others are switches.
_VALUED: Mapping[str, frozenset[str]] = {
    "useradd": frozenset("bcdefgGkKpRPsuZ"),
    "usermod": frozenset("cdegGlpRPsuvVwWZ"),
    "adduser": frozenset("hgsGuk"),
    "groupadd": frozenset("gKpRP"),
    "groupmod": frozenset("gnpRP"),
    "addgroup": frozenset("g"),
}
_LONG_VALUED = frozenset(
    (
        *("--uid", "--gid", "--home", "--home-dir", "--shell", "--comment", "--gecos", "--groups"),
        *("--ingroup", "--password", "--base-dir", "--expiredate", "--inactive", "--skel", "--key"),
        *("--root", "--prefix", "--selinux-user", "--login", "--firstuid", "--lastuid", "--conf"),
        *("--new-name", "--firstgid", "--lastgid"),
    )
)


def resolve_user(text: str, accounts: Mapping[str, Account], complete: bool = False) -> User:
    """Resolve the value of USER, ``name`` or ``uid`` with an optional group behind a colon.

    ``complete`` tells that no account exists beside ``accounts``.
    """
    name, _, group = text.partition(":")
    gid = int(group) if _NUMBER.match(group) else None
    if not name:
        return User("root", ROOT, gid)
    if _NUMBER.match(name):
        uid = int(name)
        found = next((item for item in accounts.values() if item.uid == uid), None)
        # Without a passwd entry runc leaves HOME at /.
        home = "/" if complete and found is None else None
        return User(text, found or Account(None, uid, gid, home), gid)
    account = accounts.get(name) or Account(name, None, None, None)
    return User(text, account, gid if gid is not None else account.gid)


def may_make_accounts(script: str) -> bool:
    """Tell whether a script names a program that makes or changes accounts."""
    return bool(_MAKES_USERS.search(script))


def accounts_behind(
    commands: Iterable[Invocation], accounts: Mapping[str, Account]
) -> Mapping[str, Account]:
    """Return the accounts behind some commands: those in front and what they add or change."""
    result = dict(accounts)
    groups: dict[str, int] = {}
    for item in commands:
        if item.program in ("groupadd", "addgroup", "groupmod"):
            _group(item, groups)
        elif item.program in ("useradd", "adduser"):
            _add(item, result, groups)
        elif item.program == "usermod":
            _modify(item, result, groups)
        elif item.program == "echo":
            _passwd_line(item, result)
    return dict(islice(result.items(), MOST_ACCOUNTS))


def _options(item: Invocation) -> tuple[dict[str, str | None], list[str | None]]:
    """Return the options (value None: unknown or a switch) and the other words of a command."""
    options: dict[str, str | None] = {}
    rest: list[str | None] = []
    words: Iterable[str | None] = iter([_text(item, index) for index in range(len(item.args))])
    valued = _VALUED.get(item.program or "", frozenset())
    for word in words:
        if word is None:
            rest.append(None)
        elif word.startswith("--"):
            name, equals, value = word.partition("=")
            if equals:
                options[name] = value
            else:
                options[name] = next(iter(words), None) if name in _LONG_VALUED else ""
        elif word.startswith("-") and len(word) > 1:
            for index, letter in enumerate(word[1:], 1):
                if letter in valued:
                    options[f"-{letter}"] = word[index + 1 :] or next(iter(words), None)
                    break
                options[f"-{letter}"] = ""
        else:
            rest.append(word)
    return options, rest


def _text(item: Invocation, index: int) -> str | None:
    return item.resolve(item.args[index])


def _number(options: dict[str, str | None], *names: str) -> int | None:
    for name in names:
        value = options.get(name)
        if value is not None and _NUMBER.match(value):
            return int(value)
    return None


def _group(item: Invocation, groups: dict[str, int]) -> None:
    options, rest = _options(item)
    gid = _number(options, "-g", "--gid")
    if rest and rest[-1] and gid is not None:
        groups[rest[-1]] = gid


def _add(item: Invocation, accounts: dict[str, Account], groups: dict[str, int]) -> None:
    options, rest = _options(item)
    # `adduser NAME GROUP` joins an existing user to a group; useradd has the name last.
    name = rest[-1] if rest and item.program == "useradd" else (rest[0] if rest else None)
    if not name or (item.program == "adduser" and len(rest) > 1):
        return
    uid = _number(options, "-u", "--uid")
    asked = options.get("-G") if item.program == "adduser" else options.get("-g")
    asked = asked or options.get("--ingroup") or options.get("--gid")
    if asked:
        gid = int(asked) if _NUMBER.match(asked) else groups.get(asked)
    else:
        # Without a group of its own naming, the user gets one of the same number if that is free.
        gid = uid
    if item.program == "useradd":
        home = options.get("-d", options.get("--home-dir", options.get("--home", "")))
    else:
        home = options.get("-h", options.get("--home", ""))
    moved = options.get("-b") or options.get("--base-dir")
    system = item.program == "adduser" and ("--system" in options or "-S" in options)
    if home == "":
        # Debian's `adduser --system` gives /nonexistent or /home/NAME, by release.
        home = None if system else f"{(moved or '/home').rstrip('/')}/{name}"
    accounts[name] = Account(name, uid, gid, home, item.span)


def _modify(item: Invocation, accounts: dict[str, Account], groups: dict[str, int]) -> None:
    options, rest = _options(item)
    name = rest[-1] if rest else None
    known = accounts.get(name) if name else None
    if known is None or name is None:
        return
    if "-u" in options or "--uid" in options:
        known = replace(known, uid=_number(options, "-u", "--uid"))
    if "-g" in options or "--gid" in options:
        group = options.get("-g") or options.get("--gid") or ""
        known = replace(known, gid=int(group) if _NUMBER.match(group) else groups.get(group))
    if "-d" in options or "--home" in options:
        known = replace(known, home=options.get("-d") or options.get("--home"))
    renamed = options.get("-l") or options.get("--login")
    if renamed:
        del accounts[name]
        name = renamed
    accounts[name] = replace(known, name=name, span=item.span)


def _passwd_line(item: Invocation, accounts: dict[str, Account]) -> None:
    """Read ``echo 'app:x:1000:1000::/home/app:/bin/sh' >> /etc/passwd``, as images from scratch do."""
    targets = {redirect.target.text for redirect in item.simple.redirects}
    if "/etc/passwd" not in targets:
        return
    for index in range(len(item.args)):
        fields = (_text(item, index) or "").split(":")
        if len(fields) >= 6 and _NUMBER.match(fields[2]) and _NUMBER.match(fields[3]):
            home = fields[5] or None
            accounts[fields[0]] = Account(
                fields[0], int(fields[2]), int(fields[3]), home, item.span
            )
