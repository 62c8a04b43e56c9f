"""Programs that run the command behind them, and what each changes for it.

Sources: the manuals of env(1), sudo(8), doas(1), su(1) and runuser(1) of util-linux, gosu, su-exec,
setpriv(1), xargs(1), timeout(1), bash(1). An entry takes the call, moves its ``at`` to the wrapped
command and answers True; with False the wrapper is what is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cachekey.commands.familiar import SHELLS
from cachekey.commands.peeling import Call, NestedScript, Options, read_options, setting_of
from cachekey.commands.shellstate import Setting
from cachekey.record import record
from cachekey.syntax.shell.parse import Word

Peeler = Callable[[Call], bool]


class UnreadableError(Exception):
    """A wrapper whose command cannot be told: any program may be run."""


class UnreadableScriptError(UnreadableError):
    """A script in a word that cannot be read."""


@record(frozen=True)
class Plain:
    """A wrapper that changes nothing for what it runs."""

    valued: frozenset[str] = frozenset()
    skipped: int = 0
    """Words between the options and the command: the time of ``timeout``."""
    alone: frozenset[str] = frozenset()
    """Options with which it runs nothing."""

    def __call__(self, call: Call) -> bool:
        """Step over the wrapper."""
        options = _options(call, call.at + 1, self.valued)
        if any(name in options.found for name in self.alone):
            return False
        return _go_on(call, options.end + self.skipped)


def _options(call: Call, start: int, valued: frozenset[str]) -> Options:
    options = read_options(call, start, valued)
    if options is None:
        raise UnreadableError
    return options


def _go_on(call: Call, at: int) -> bool:
    if at >= len(call.words):
        return False
    call.at = at
    call.head_start = None
    call.program = None
    return True


def _set(*names: str) -> frozenset[str]:
    return frozenset(names)


def _assignments(call: Call, at: int) -> int:
    """Take the ``NAME=value`` words of env and sudo; return the index behind them."""
    while at < len(call.words):
        found = setting_of(call.words[at], call.state)
        if found is None:
            break
        call.set(*found)
        at += 1
    return at


def _env(call: Call) -> bool:
    valued = _set("-u", "--unset", "-C", "--chdir", "-S", "--split-string", "-a", "--argv0")
    text = call.text(call.at + 1)
    options = _options(call, call.at + 1, valued)
    if options.any("-S", "--split-string"):
        raise UnreadableError
    at = options.end
    if text == "-" or call.text(at) == "-":
        at += 1
        call.clear()
    if options.any("-i", "--ignore-environment"):
        call.clear()
    for name in ("-u", "--unset"):
        value = _value(call, options, name)
        if name in options and value is not None:
            call.drop(value)
    if options.any("-C", "--chdir"):
        call.move(_value(call, options, "-C") or _value(call, options, "--chdir"))
    return _go_on(call, _assignments(call, at))


def _value(call: Call, options: Options, name: str) -> str | None:
    if name in options.inline:
        return options.inline[name]
    index = options.found.get(name)
    return None if index is None else call.text(index)


def _become(call: Call, options: Options, home_reset: bool, *names: str) -> None:
    """Take the user from whichever of these options was given; root without any."""
    for name in names:
        if name in options.inline:
            return call.become(None, options.inline[name], home_reset)
        if name in options:
            return call.become(options.found[name], None, home_reset)
    return call.become(None, "root", home_reset)


_SUDO_VALUED = _set(
    *("-u", "-g", "-p", "-C", "-D", "-h", "-r", "-t", "-T", "-U", "-R", "-c"),
    *("--user", "--group", "--prompt", "--chdir", "--host", "--role", "--type", "--close-from"),
    *("--command-timeout", "--chroot", "--other-user"),
)


def _sudo(call: Call) -> bool:
    options = _options(call, call.at + 1, _SUDO_VALUED)
    if options.any(
        "-v", "-l", "-K", "-k", "-V", "--list", "--validate", "-e"
    ) and options.end >= len(call.words):
        return False
    kept = options.any("-E", "--preserve-env") and "--preserve-env" not in options.inline
    login = options.any("-i", "--login")
    home = login or not kept or options.any("-H", "--set-home")
    named = options.inline.get("--preserve-env")
    carried = [name for name in (named or "").split(",") if name]
    settings = [(name, _carried(call, name)) for name in carried]
    if not kept:
        call.clear()
    for name, setting in settings:
        call.set(name, setting)
    _become(call, options, home, "-u", "--user")
    if login:
        call.change(login=True)
        call.cwd = None
    if options.any("-D", "--chdir"):
        call.move(_value(call, options, "-D") or _value(call, options, "--chdir"))
    return _go_on(call, _assignments(call, options.end))


def _carried(call: Call, name: str) -> Setting:
    known = call.env.get(name)
    return known or Setting(call.state.value(name), call.words[call.at].span)


def _doas(call: Call) -> bool:
    options = _options(call, call.at + 1, _set("-u", "-a", "-C"))
    call.clear()
    _become(call, options, True, "-u")
    return _go_on(call, options.end)


_SU_VALUED = _set(
    *("-c", "-s", "-g", "-G", "-T", "-w", "--command", "--shell", "--group", "--supp-group"),
    *("--session-command", "--whitelist-environment", "-C"),
)


def _su(call: Call) -> bool:
    """Read ``su [-] [user] -c command``: options may stand behind the user as well."""
    at, words, login, keeps = call.at + 1, [], False, False
    script: int | None = None
    direct: int | None = None
    runs_as: int | None = None
    program = call.program or call.text(call.at)
    while at < len(call.words):
        text = call.text(at)
        if text is None or text == "-" or not text.startswith("-"):
            if text == "-":
                login = True
            else:
                words.append(at)
            at += 1
            continue
        if text == "--":
            direct = at + 1
            break
        at += 1
        name, equals, _ = text.partition("=")
        cluster = "" if text.startswith("--") else text[1:]
        login = login or name == "--login" or "l" in cluster
        keeps = keeps or "preserve-environment" in name or bool({"m", "p"} & set(cluster))
        if program == "runuser" and (name == "--user" or cluster[-1:] == "u"):
            if equals:
                raise UnreadableError
            runs_as = at
            at += 1
            direct = _past_options(call, at)
            break
        if name in ("--command", "--session-command") or cluster[-1:].lower() == "c":
            script = at if not equals else None
        if not equals and (name in _SU_VALUED or f"-{cluster[-1:]}" in _SU_VALUED):
            at += 1
    if runs_as is not None:
        # Nothing but the user changes: no shell, no new HOME.
        call.become(runs_as, None, home_reset=False)
        return _go_on(call, direct or len(call.words))
    if script is None:
        raise UnreadableError
    if login:
        call.clear()
        call.change(login=True)
        call.cwd = None
    call.become(words[0] if words else None, None if words else "root", not keeps)
    return _script(call, script)


def _past_options(call: Call, at: int) -> int:
    valued = _set("-g", "-G", "--group", "--supp-group", "-w")
    return _options(call, at, valued).end


def _gosu(call: Call) -> bool:
    at = call.at + 1
    if at + 1 >= len(call.words) or (call.text(at) or "").startswith("-"):
        return False
    text = call.text(at)
    if text is None:
        call.become(at, None, home_reset=True)
    else:
        call.become(None, text.partition(":")[0], home_reset=True)
    return _go_on(call, at + 1)


def _setuidgid(call: Call) -> bool:
    at = call.at + 1
    if at + 1 >= len(call.words) or (call.text(at) or "").startswith("-"):
        return False
    call.become(at, None, home_reset=False)
    return _go_on(call, at + 1)


def _setpriv(call: Call) -> bool:
    valued = _set(
        *("--reuid", "--regid", "--ruid", "--euid", "--rgid", "--egid", "--groups", "--inh-caps"),
        *("--ambient-caps", "--bounding-set", "--securebits", "--pdeathsig", "--selinux-label"),
        *("--apparmor-profile",),
    )
    options = _options(call, call.at + 1, valued)
    if "--reset-env" in options:
        call.clear()
    if options.any("--reuid", "--euid"):
        _become(call, options, "--reset-env" in options, "--reuid", "--euid")
    return _go_on(call, options.end)


def _xargs(call: Call) -> bool:
    valued = _set(
        *(
            "-I",
            "-n",
            "-P",
            "-L",
            "-d",
            "-E",
            "-s",
            "-a",
            "--max-args",
            "--max-procs",
            "--delimiter",
        ),
        *("--max-lines", "--max-chars", "--arg-file", "--replace", "--process-slot-var"),
    )
    options = _options(call, call.at + 1, valued)
    call.change(args_known=False)
    return _go_on(call, options.end)


def _cross_env(call: Call) -> bool:
    return _go_on(call, _assignments(call, call.at + 1))


def _flock(call: Call) -> bool:
    options = _options(call, call.at + 1, _set("-w", "--timeout", "--wait", "-E"))
    if call.text(options.end + 1) in ("-c", "--command"):
        return _script(call, options.end + 2)
    return _go_on(call, options.end + 1)


def _command(call: Call) -> bool:
    options = _options(call, call.at + 1, frozenset())
    return not options.any("-v", "-V") and _go_on(call, options.end)


# -- shells -----------------------------------------------------------------------------------


def _script(call: Call, index: int) -> bool:
    """Let the word at ``index`` be what a shell runs."""
    if index >= len(call.words):
        raise UnreadableError
    nested = _nested(call.words[index])
    if nested is None:
        raise UnreadableScriptError
    call.nested = nested
    return True


def _nested(word: Word) -> NestedScript | None:
    parts = word.parts or ()
    if word.untellable or (len(parts) == 1 and parts[0].kind != "text"):
        return None
    if any(part.kind in ("hole", "var", "var:") and not part.quoted for part in parts):
        return None
    filled = any(part.kind in ("var", "var:") for part in parts)
    if filled and "\\$" in word.written:
        # Some variables are filled in before, some after: not worth telling apart.
        return None
    return NestedScript(word.unquoted(), filled)


def _shell(call: Call) -> bool:
    """Read ``bash -euxo pipefail -c '...'``, a script on standard input, or a script file."""
    at, script = call.at + 1, False
    while at < len(call.words):
        text = call.text(at)
        if text is None:
            # `bash $FILE`, `bash <(curl ...)`; with `-c` it is the script.
            if not script:
                raise UnreadableError
            break
        if text[:1] not in ("-", "+") or text in ("-", "--"):
            at += text in ("-", "--")
            break
        at += 1
        if text in ("--login", "-l"):
            call.change(login=True)
        if text.startswith("--"):
            at += text in ("--rcfile", "--init-file")
            continue
        cluster = text[1:]
        if text[0] == "-":
            script = script or "c" in cluster
            if "l" in cluster:
                call.change(login=True)
        # Each `o` or `O` of a cluster takes one of the words behind it.
        at += cluster.count("o") + cluster.count("O")
    if script:
        return _script(call, at)
    if at < len(call.words) and call.text(at) != "/dev/stdin":
        call.script_at = at
        return False
    if call.document is not None:
        if call.fills_document and "\\$" in call.document.text:
            raise UnreadableError
        call.nested = NestedScript(call.document, call.fills_document)
        return True
    return False


def _set_of(names: str) -> frozenset[str]:
    return frozenset(names.split())


_NOTHING = Plain()

WRAPPERS: Mapping[str, Peeler] = {
    "env": _env,
    "sudo": _sudo,
    "doas": _doas,
    "su": _su,
    "runuser": _su,
    "gosu": _gosu,
    "su-exec": _gosu,
    "s6-setuidgid": _setuidgid,
    "setpriv": _setpriv,
    "cross-env": _cross_env,
    "flock": _flock,
    "xargs": _xargs,
    "command": _command,
    "time": Plain(_set_of("-f -o --format --output")),
    "nice": Plain(_set_of("-n --adjustment")),
    "ionice": Plain(
        _set_of("-c -n --class --classdata"), 0, _set_of("-p -P -u --pid --pgid --uid")
    ),
    "timeout": Plain(_set_of("-k -s --kill-after --signal"), 1),
    "stdbuf": Plain(_set_of("-i -o -e --input --output --error")),
    "exec": Plain(_set_of("-a")),
    "taskset": Plain(frozenset(), 1, _set_of("-p --pid")),
    "chrt": Plain(_set_of("-T -P -D"), 1, _set_of("-p --pid -m --max")),
    "xvfb-run": Plain(
        _set_of("-n -e -f -p -s -w --server-num --server-args --error-file --auth-file --wait")
    ),
    "setarch": Plain(frozenset(), 1),
    "fakeroot": Plain(_set_of("-l -s -i -b --lib --faked")),
    **dict.fromkeys(
        (
            *("builtin", "nohup", "setsid", "chronic", "eatmydata", "unbuffer", "dbus-run-session"),
            *("tini", "dumb-init", "linux32", "linux64", "catchsegv", "busybox", "noglob"),
        ),
        _NOTHING,
    ),
    **dict.fromkeys(SHELLS, _shell),
}
