"""What a shell's own commands do to its variables and directory."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from cachekey.commands.peeling import setting_of
from cachekey.commands.shellstate import Setting, ShellState
from cachekey.commands.substituted import asked
from cachekey.knowledge.installers import installers
from cachekey.record import record, replace
from cachekey.syntax.shell.parse import Assignment, Command, Word

# Files to source that are known to set a few variables only; the names that they set.
_KNOWN_FILES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), tuple(names.split()))
    for pattern, names in (
        (r"(?:\A|/)bin/activate\Z", "PATH VIRTUAL_ENV VIRTUAL_ENV_PROMPT PS1 CONDA_PREFIX"),
        (r"\.?cargo/env\Z", "PATH"),
        (r"\.(?:local|uv)/(?:bin/)?env\Z", "PATH"),
        (r"\.ghcup/env\Z", "PATH"),
        (r"/nvm\.sh\Z", "PATH NVM_DIR NVM_BIN NVM_INC NVM_CD_FLAGS MANPATH"),
        (r"/(?:conda|mamba|micromamba)\.sh\Z", "PATH CONDA_EXE CONDA_PREFIX CONDA_SHLVL PS1"),
        (r"/asdf\.sh\Z", "PATH ASDF_DIR"),
        (
            r"(?:\A|/)os-release\Z",
            "ID NAME VERSION VERSION_ID VERSION_CODENAME UBUNTU_CODENAME ID_LIKE PRETTY_NAME",
        ),
        (r"\Alsb-release\Z|/lsb-release\Z", "DISTRIB_ID DISTRIB_RELEASE DISTRIB_CODENAME"),
        (
            r"\A/opt/ros/.*setup\.(?:ba|z)?sh\Z",
            "PATH PYTHONPATH LD_LIBRARY_PATH CMAKE_PREFIX_PATH AMENT_PREFIX_PATH ROS_DISTRO",
        ),
        (
            r"\A/opt/rh/.*/enable\Z",
            "PATH LD_LIBRARY_PATH MANPATH INFOPATH PKG_CONFIG_PATH PERL5LIB PCP_DIR",
        ),
        (r"/apache2/envvars\Z", "APACHE_RUN_USER APACHE_RUN_GROUP APACHE_LOG_DIR"),
    )
)


@record(frozen=True)
class Effect:
    """What a builtin leaves behind."""

    state: ShellState
    complete: bool = True
    opaque: bool = False
    """It may have run commands that the file does not show."""


def assign(state: ShellState, assignments: Sequence[Assignment]) -> ShellState:
    """Return the state behind assignments that stand alone."""
    for one in assignments:
        state = state.with_variable(one.name, setting(one, state))
    return state


def setting(assignment: Assignment, state: ShellState) -> Setting:
    """Return what an assignment sets."""
    if not assignment.known:
        return Setting(None, assignment.span)
    value = assignment.value
    text = "" if value.start == value.stop else value.resolve(state.value)
    return Setting(text, assignment.span, state.choices(value) if text is None else ())


def _cd(state: ShellState, command: Command, texts: Sequence[str | None]) -> Effect:
    words = [text for text in texts if text is None or not re.match(r"-[LPe@]+\Z|--\Z", text)]
    if not words:
        home = None if state.filled_by is not None else state.value("HOME")
        return Effect(replace(state, cwd=home))
    if words[0] == "-":
        return Effect(replace(state, cwd=None))
    return Effect(state.moved(words[0] if words[0] != "" else None))


def _popd(state: ShellState, command: Command, texts: Sequence[str | None]) -> Effect:
    return Effect(replace(state, cwd=None))


def _export(state: ShellState, command: Command, texts: Sequence[str | None]) -> Effect:
    return _declared(state, command.words[1:], exported=True)


def _declare(state: ShellState, command: Command, texts: Sequence[str | None]) -> Effect:
    flags = "".join(text for text in texts if text is not None and text.startswith("-"))
    return _declared(state, command.words[1:], exported=True if "x" in flags else None)


def _declared(state: ShellState, words: Sequence[Word], exported: bool | None) -> Effect:
    for word in words:
        text = word.resolve(state.value)
        found = setting_of(word, state)
        if found is not None:
            state = state.with_variable(*found, exported=exported)
        elif text is None:
            # `export $(cat .env)`: any variable.
            return Effect(state.forgotten())
        elif exported and text in state.hidden:
            state = state.with_variable(text, state.hidden[text], exported=True)
        elif exported and "=" in text:
            name, _, value = text.partition("=")
            state = state.with_variable(name, Setting(value, word.span), exported=True)
    return Effect(state)


def _unset(state: ShellState, command: Command, texts: Sequence[str | None]) -> Effect:
    if texts[:1] == ["-f"]:
        return Effect(state)
    for text in texts:
        if text is None:
            return Effect(state.forgotten())
        if not text.startswith("-"):
            state = state.without_variable(text)
    return Effect(state)


def _set(state: ShellState, command: Command, texts: Sequence[str | None]) -> Effect:
    for index, text in enumerate(texts):
        if text is None or text == "--":
            break
        following = texts[index + 1] if index + 1 < len(texts) else None
        if text[:1] in "-+" and (
            ("a" in text[1:] and not text.startswith("--"))
            or (text.endswith("o") and following == "allexport")
        ):
            state = replace(state, exports_all=text[0] == "-")
    return Effect(state)


def _source(state: ShellState, command: Command, texts: Sequence[str | None]) -> Effect:
    word = command.words[1] if len(command.words) > 1 else None
    if word is None:
        return Effect(state)
    path = texts[0] if texts[0] is not None else word.unquoted().text
    for pattern, names in _KNOWN_FILES:
        if pattern.search(path):
            for name in names:
                exported = None if "release" in pattern.pattern else True
                state = state.with_variable(name, Setting(None, word.span), exported)
            return Effect(state)
    # Nothing that was known about variables before has to hold any more.
    gone = replace(state.forgotten(), cwd=None)
    return Effect(gone, opaque=True)


def _eval(state: ShellState, command: Command, texts: Sequence[str | None]) -> Effect:
    if len(command.words) == 2 and asked(command.words[1].written) in installers().hooks:
        return Effect(replace(state.forgotten(), cwd=state.cwd))
    gone = replace(state.forgotten(), cwd=None)
    return Effect(gone, complete=False, opaque=True)


def _read(state: ShellState, command: Command, texts: Sequence[str | None]) -> Effect:
    for text, word in zip(texts, command.words[1:], strict=False):
        if text is not None and text.isidentifier():
            state = state.with_variable(text, Setting(None, word.span))
    return Effect(state)


def _trap(state: ShellState, command: Command, texts: Sequence[str | None]) -> Effect:
    quiet = not texts or texts[0] in ("", "-") or (texts[0] or "").startswith("-")
    return Effect(state, complete=quiet)


BUILTINS: Mapping[str, Callable[[ShellState, Command, Sequence[str | None]], Effect]] = {
    "cd": _cd,
    "pushd": _cd,
    "popd": _popd,
    "export": _export,
    "declare": _declare,
    "typeset": _declare,
    "readonly": _declare,
    "local": _declare,
    "unset": _unset,
    "set": _set,
    ".": _source,
    "source": _source,
    "eval": _eval,
    "read": _read,
    "trap": _trap,
}
"""By name: take the state, the command and the values of its words behind the first."""

SOURCES = (".", "source")
"""Those that run a script in the shell itself."""
