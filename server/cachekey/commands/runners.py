"""Tools that run another tool by name: ``python -m``, ``npx``, ``uv run``, ``corepack pnpm``.

The runner is a tool of its own, with caches of its own (``npx`` downloads into npm's); so both count.
"""

from __future__ import annotations

from collections.abc import Mapping

from cachekey.commands.peeling import Call, read_options
from cachekey.record import record

_NO_OPTIONS: frozenset[str] = frozenset()


@record(frozen=True)
class Runner:
    """How a tool is told to run another one."""

    subcommands: tuple[tuple[str, ...], ...] = ((),)
    """The words in front of the program; an empty entry: it always runs one."""
    valued: frozenset[str] = _NO_OPTIONS
    """Options, before or behind the subcommand, that take the next word."""
    skipped: int = 0
    """Words between the subcommand and the program (the toolchain of ``rustup run``)."""
    blockers: frozenset[str] = frozenset(("-c", "--call", "--shell-mode"))
    """Options with which the program cannot be told."""
    versioned: bool = False
    """The program is a package, maybe with a version behind ``@``."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _runner(
    subcommands: str, valued: str = "", skipped: int = 0, versioned: bool = False
) -> Runner:
    given = tuple(tuple(item.split()) for item in subcommands.split("|"))
    return Runner(given, _words(valued), skipped, versioned=versioned)


_NPX = _runner("", "-p --package -w --workspace --prefix", versioned=True)
_UV = (
    "--directory --project --cache-dir --config-file --color --python -p --with --with-editable"
    " --with-requirements --extra --group --no-group --only-group --no-extra --index --index-url -i"
    " --default-index --extra-index-url --find-links -f --env-file --from --package --link-mode"
    " --refresh-package --reinstall-package --upgrade-package -P --exclude-newer --resolution -w"
)
_CONDA = "-n --name -p --prefix --cwd -r --root-prefix -a --attach -e --env --label"

RUNNERS: Mapping[str, Runner] = {
    "npx": _NPX,
    "pnpx": _NPX,
    "pnx": _NPX,
    "bunx": _NPX,
    "npm": _runner("exec|x", "-p --package -w --workspace --prefix --cache", versioned=True),
    "pnpm": _runner("dlx|exec", "--filter -F -C --dir --package --store-dir", versioned=True),
    "yarn": _runner("dlx|exec", "--cwd -p --package", versioned=True),
    "bun": _runner("x", "--cwd --package -p", versioned=True),
    "uvx": _runner("", _UV, versioned=True),
    "uv": _runner("run|tool run", _UV, versioned=True),
    "poetry": _runner("run", "-C --directory -P --project"),
    "pdm": _runner("run", "-p --project -c --config"),
    "pipenv": _runner("run", "--python"),
    "hatch": _runner("run", "-e --env -p --project --data-dir --cache-dir --config"),
    "rye": _runner("run"),
    "pixi": _runner("run|exec", "-e --environment --manifest-path -s --spec -c --channel"),
    "pipx": _runner("run", "--spec --python --index-url -i --pip-args", versioned=True),
    "conda": _runner("run", _CONDA),
    "mamba": _runner("run", _CONDA),
    "micromamba": _runner("run", _CONDA),
    "bundle": _runner("exec", "--gemfile"),
    "bundler": _runner("exec", "--gemfile"),
    "composer": _runner("exec", "-d --working-dir"),
    "opam": _runner("exec", "--switch --root"),
    "cabal": _runner("exec"),
    "stack": _runner("exec", "--stack-root --work-dir --resolver --package"),
    "mise": _runner("exec|x", "-C --cd -E --env", versioned=True),
    "asdf": _runner("exec"),
    "rustup": _runner("run", "", 1),
    "ccache": _runner(
        "", "-o --set-config -M --max-size -F --max-files -d --dir --config-path -k --get-config"
    ),
    "sccache": _runner(""),
    "corepack": _runner("pnpm|yarn|npm|npx|pnpx"),
}

SAME_AS: Mapping[str, str] = {
    "xx-go": "go",
    "xx-cargo": "cargo",
    "xx-apt": "apt",
    "xx-apt-get": "apt-get",
}
"""Scripts of the cross-compilation image that call a tool with the same words, for a target."""


def find_program(call: Call, name: str) -> tuple[int, str] | None:
    """Return the index of the program that a runner is told to run, and how it is told."""
    runner = RUNNERS.get(name)
    if runner is None:
        return None
    options = read_options(call, call.at + 1, runner.valued)
    if options is None:
        return None
    at = options.end
    for words in runner.subcommands:
        here = tuple(call.text(at + index) for index in range(len(words)))
        if here != words:
            continue
        if name == "corepack":
            return at, name
        if words:
            options = read_options(call, at + len(words), runner.valued)
        if options is None or any(option in options.found for option in runner.blockers):
            return None
        at = options.end + runner.skipped
        if at < len(call.words) and call.text(at) == "--":
            at += 1
        return (at, " ".join((name, *words))) if at < len(call.words) else None
    if name == "corepack":
        package = (call.text(at) or "").partition("@")[0]
        return (at, name) if package in ("pnpm", "yarn", "npm") else None
    return None


def program_name(name: str, text: str) -> str:
    """Return the program that a runner's word names: ``playwright@1.50`` is ``playwright``."""
    runner = RUNNERS.get(name)
    if runner is None or not (runner.versioned or name == "corepack"):
        return text
    at = text.find("@", 1)
    text = text if at < 0 else text[:at]
    return text.partition("==")[0]


_PYTHON_VALUED = frozenset(("-W", "-X", "--check-hash-based-pycs"))


def python_module(call: Call) -> int | None:
    """Return the index of the module's word behind ``python -m``."""
    at = call.at + 1
    while at < len(call.words):
        text = call.text(at)
        if text is None or not text.startswith("-") or text in ("-", "--"):
            return None
        at += 1
        if text in _PYTHON_VALUED:
            at += 1
        elif not text.startswith(("--", "-W", "-X")):
            if "c" in text:
                return None
            if text.endswith("m"):
                return at if at < len(call.words) and call.text(at) is not None else None
    return None
