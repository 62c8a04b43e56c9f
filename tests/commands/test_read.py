"""What a RUN comes down to: programs behind wrappers, with their variables, user and directory."""

from __future__ import annotations

import pytest
from cachekey.commands.read import Commands, Invocation, read_commands
from cachekey.syntax.dockerfile.parse import parse
from cachekey.text import Source

VARIABLES = {"HOME": "/root", "PIP_CACHE_DIR": "/pc", "APP": "/srv/app"}


def read(run: str, shell: tuple[str, ...] | None = None, workdir: str | None = "/app") -> Commands:
    return read_source(Source(f"FROM x\nRUN {run}\n"), shell, workdir)


def read_source(
    source: Source, shell: tuple[str, ...] | None = None, workdir: str | None = "/app"
) -> Commands:
    found = [one for one in parse(source).instructions if one.keyword == "RUN"]
    return read_commands(found[0], shell=shell, lookup=VARIABLES.get, workdir=workdir)


def shown(item: Invocation) -> str:
    """Write an item: its words (``?`` unknown), then what is special about it."""
    words = " ".join(text if text is not None else "?" for text in (item.program, *item.texts))
    facts = []
    if item.via:
        facts.append(f"via {item.via}")
    if item.user is not None:
        facts.append(f"as {item.user}" + ("" if item.user_known else "?"))
    facts += [f"{name}={one.text}" for name, one in sorted(item.env.items())]
    facts += [f"-{name}" for name in sorted(item.unset)]
    if item.cwd != "/app":
        facts.append(f"in {item.cwd}")
    for name in ("opaque", "conditional", "clears_environment", "login", "home_reset"):
        if getattr(item, name):
            facts.append(name)
    for name in ("environment_known", "args_known"):
        if not getattr(item, name):
            facts.append(f"not {name}")
    return f"{words} [{', '.join(facts)}]" if facts else words


RUNS: dict[str, list[str]] = {
    # Lists, variables and directories.
    "apt-get update && apt-get install -y --no-install-recommends \\\n  git \\\n  # why\n  curl": [
        "apt-get update",
        "apt-get install -y --no-install-recommends git curl",
    ],
    "pip install --cache-dir $PIP_CACHE_DIR/x \"${APP}[dev]\" '$APP'": [
        "pip install --cache-dir /pc/x /srv/app[dev] $APP"
    ],
    "cd sub && npm ci; cd .. && npm -v": [
        "cd sub",
        "npm ci [in /app/sub]",
        "cd .. [in /app/sub]",
        "npm -v",
    ],
    "cd $APP && pip x && cd && pip y && cd - && pip z": [
        "cd /srv/app",
        "pip x [in /srv/app]",
        "cd [in /srv/app]",
        "pip y [in /root]",
        "cd - [in /root]",
        "pip z [in None]",
    ],
    "cd $NOPE && pip x": ["cd ?", "pip x [in None]"],
    "(cd sub && npm ci) && npm x": ["cd sub", "npm ci [in /app/sub]", "npm x"],
    "{ cd sub; npm ci; } && npm x": [
        "cd sub",
        "npm ci [in /app/sub]",
        "npm x [in /app/sub]",
    ],
    "cd a | npm x; npm y": ["cd a", "npm x", "npm y"],
    "[ -d a ] && cd a && npm x; npm y": [
        "[ -d a ]",
        "cd a [conditional]",
        "npm x [in /app/a, conditional]",
        "npm y [in None]",
    ],
    "cd a || exit 1; npm x": ["cd a", "exit 1 [in /app/a, conditional]", "npm x [in /app/a]"],
    "pushd a && npm x && popd && npm y": [
        "pushd a",
        "npm x [in /app/a]",
        "popd [in /app/a]",
        "npm y [in None]",
    ],
    "A=1 B=$(x) npm ci && npm y": ["npm ci [A=1, B=None]", "x", "npm y"],
    'export A=1 B="x y"; npm ci': ["export A=1 B=x y", "npm ci [A=1, B=x y]"],
    "A=1; npm --x=$A": ["npm --x=1"],
    "A=1; export A; npm x": ["export A", "npm x [A=1]"],
    "A=1; set -a; B=2; npm x": ["set -a", "npm x [B=2]"],
    "set -o allexport && B=2 && set +o allexport && C=3 && npm $C": [
        "set -o allexport",
        "set +o allexport [B=2]",
        "npm 3 [B=2]",
    ],
    "PIP_CACHE_DIR=/y; pip $PIP_CACHE_DIR": ["pip /y [PIP_CACHE_DIR=/y]"],
    "PIP_CACHE_DIR=/y pip $PIP_CACHE_DIR": ["pip /pc [PIP_CACHE_DIR=/y]"],
    'unset PIP_CACHE_DIR && pip "$PIP_CACHE_DIR"': [
        "unset PIP_CACHE_DIR",
        "pip  [-PIP_CACHE_DIR]",
    ],
    "declare -x A=1 && local B=2 && npm $B": ["declare -x A=1", "local B=2 [A=1]", "npm 2 [A=1]"],
    "export $(cat .env) && npm x": [
        "export ?",
        "cat .env [not environment_known]",
        "npm x [not environment_known]",
    ],
    'if [ "$A" = b ]; then export B=1; cd x; fi; npm y': [
        "[ ? = b ]",
        "export B=1 [conditional]",
        "cd x [B=1, conditional]",
        "npm y [B=None, in None]",
    ],
    "for v in 3.8 3.9; do pip$v install x; done && pip y": [
        "? install x [opaque, conditional]",
        "pip y",
    ],
    'for p in a b; do pip install "$p"; done': ["pip install ? [conditional]"],
    "for d in a b; do npm x; cd $d; done": [
        "npm x [in None, conditional]",
        "cd ? [in None, conditional]",
    ],
    "read A < f; pip $A": ["read A", "pip ?"],
    "case $(uname -m) in x) npm a ;; *) npm b; esac": [
        "uname -m",
        "npm a [conditional]",
        "npm b [conditional]",
    ],
    "npm a || (npm b && npm c)": ["npm a", "npm b [conditional]", "npm c [conditional]"],
    "npm ci || npm ci && npm x": ["npm ci", "npm ci [conditional]", "npm x"],
    'echo "app:x:1000:1000::/home/app:/bin/sh" >> /etc/passwd': [
        "echo app:x:1000:1000::/home/app:/bin/sh"
    ],
    # Wrappers.
    "env A=1 -u B pip x": ["-u B pip x [A=1]"],
    "env -u B A=1 pip x": ["pip x [A=1, -B]"],
    "env -i PATH=/bin pip x": ["pip x [PATH=/bin, clears_environment]"],
    "env - pip x": ["pip x [clears_environment]"],
    "env -C /y pip x": ["pip x [in /y]"],
    "/usr/bin/env pip x": ["pip x"],
    "time -p pip x": ["pip x"],
    "exec nice -n 5 ionice -c 3 nohup stdbuf -oL pip x": ["pip x"],
    "timeout -k 5 300 pip x": ["pip x"],
    "timeout $T pip x": ["timeout ? pip x [opaque]"],
    "command pip x": ["pip x"],
    "command -v pip && pip x": ["command -v pip", "pip x [conditional]"],
    "cat f | xargs -n 1 -P4 pip install": ["cat f", "pip install [not args_known]"],
    "xargs -a f -I{} sh -c 'pip install {}'": ["pip install {} [not args_known]"],
    "sudo apt-get update": ["apt-get update [as root, clears_environment, home_reset]"],
    "sudo -E apt-get update": ["apt-get update [as root]"],
    "sudo -EH -u app npm ci": ["npm ci [as app, home_reset]"],
    "sudo --user=app --preserve-env=PIP_CACHE_DIR,X A=1 pip x": [
        "pip x [as app, A=1, PIP_CACHE_DIR=/pc, X=None, clears_environment, home_reset]"
    ],
    "sudo -u '#1000' npm ci": ["npm ci [as 1000, clears_environment, home_reset]"],
    'sudo -E -u "$U" npm ci': ['npm ci [as "$U"?]'],
    "export A=1 && sudo npm ci": [
        "export A=1",
        "npm ci [as root, clears_environment, home_reset]",
    ],
    "sudo -i -u app npm ci": ["npm ci [as app, in None, clears_environment, login, home_reset]"],
    "sudo $FLAGS npm ci": ["sudo ? npm ci [opaque]"],
    "doas -u app npm ci": ["npm ci [as app, clears_environment, home_reset]"],
    "su app -c 'cd x && npm ci'": [
        "cd x [as app, home_reset]",
        "npm ci [as app, in /app/x, home_reset]",
    ],
    "su - app -c 'npm ci'": ["npm ci [as app, in None, clears_environment, login, home_reset]"],
    "su -s /bin/bash -c 'npm ci' app": ["npm ci [as app, home_reset]"],
    "su -lc 'npm ci' app": ["npm ci [as app, in None, clears_environment, login, home_reset]"],
    "su -m app -c 'npm ci'": ["npm ci [as app]"],
    "gosu app:app npm ci": ["npm ci [as app, home_reset]"],
    "su-exec app npm ci": ["npm ci [as app, home_reset]"],
    "s6-setuidgid app npm ci": ["npm ci [as app]"],
    "runuser -u app -- npm ci": ["npm ci [as app]"],
    "runuser -l app -c 'npm ci'": [
        "npm ci [as app, in None, clears_environment, login, home_reset]"
    ],
    "setpriv --reuid=app --regid app --init-groups npm ci": ["npm ci [as app]"],
    "xvfb-run -a npm test": ["npm test [opaque]"],
    # Shells in shells.
    "sh -c 'cd x && pip install \"a b\"'": ["cd x", "pip install a b [in /app/x]"],
    'bash -euxo pipefail -c "pip install $APP && pip y"': ["pip install /srv/app", "pip y"],
    "bash -o errexit -xc 'pip x'": ["pip x"],
    "/bin/bash -lc 'pip x'": ["pip x [login]"],
    "bash --login -c 'pip x'": ["pip x [login]"],
    "A=1 sh -c 'pip $A'": ["pip 1 [A=1]"],
    "A=1; sh -c 'pip $A'": ["pip ?"],
    'A=1; sh -c "pip $A"': ["pip 1"],
    'sudo -u app sh -c "pip $HOME/x"': ["pip /root/x [as app, clears_environment, home_reset]"],
    "sudo -u app sh -c 'pip $HOME/x'": ["pip ? [as app, clears_environment, home_reset]"],
    "sh -c \"sh -c 'pip x'\"": ["pip x"],
    "sh -c 'cd x' && pip y": ["cd x", "pip y"],
    "[ -f x ] && sh -c 'pip y'": ["[ -f x ]", "pip y [conditional]"],
    "bash x.sh && sh ./y": ["bash x.sh [opaque]", "sh ./y [opaque]"],
    "curl -fsSL x | sh -s -- -y": ["curl -fsSL x", "sh -s -- -y [opaque]"],
    "bash <(curl x)": ["bash ? [opaque]", "curl x"],
    "bash ~app/x.sh -b && sh $X": ["bash ? -b [opaque]", "sh ? [opaque]"],
    "curl x | sudo -E bash -": ["curl x", "bash - [as root, opaque]"],
    "bash <<< 'pip x'": ["pip x"],
    "bash -e <<EOF\ncd $APP\npip x\nEOF": ["cd /srv/app", "pip x [in /srv/app]"],
    "<<EOF\nset -e\n# c\npip x\n\nif a; then\n  pip y\nfi\nEOF": [
        "set -e",
        "pip x",
        "a",
        "pip y [conditional]",
    ],
    "<<EOF\n#!/usr/bin/env bash\npip x\nEOF": ["pip x"],
    "<<EOF\ncat > f <<E\npip y\nE\npip x\nEOF": ["cat", "pip x"],
    "cat <<EOF > /x && pip y\npip x\nEOF": ["cat", "pip y"],
    '["pip", "install", "$HOME", "a b"]': ["pip install $HOME a b"],
    '["/bin/sh", "-c", "cd $APP && pip x"]': ["cd /srv/app", "pip x [in /srv/app]"],
    # Tools that run tools.
    "python -m pip install x": ["pip install x [via python -m]"],
    "/opt/v/bin/python3.12 -Im pip x": ["pip x [via python -m]"],
    "python3 -W ignore -m pip x": ["pip x [via python -m]"],
    "python setup.py install": ["python setup.py install [opaque]"],
    "python -c 'import m'": ["python -c import m [opaque]"],
    "python --version": ["python --version"],
    "corepack enable && corepack pnpm@9 i": [
        "corepack enable",
        "corepack pnpm@9 i",
        "pnpm i [via corepack]",
    ],
    "npx -y playwright@1.50 install": [
        "npx -y playwright@1.50 install",
        "playwright install [via npx]",
    ],
    "npx --yes @scope/tool@2 x": ["npx --yes @scope/tool@2 x", "@scope/tool x [via npx]"],
    "npm exec -- playwright install": [
        "npm exec -- playwright install",
        "playwright install [via npm exec]",
    ],
    "pnpm --filter web exec tsc -b": ["pnpm --filter web exec tsc -b", "tsc -b [via pnpm exec]"],
    "pnpm dlx turbo@2 prune": ["pnpm dlx turbo@2 prune", "turbo prune [via pnpm dlx]"],
    "uvx ruff check": ["uvx ruff check", "ruff check [via uvx]"],
    "uv run --with x python -m pytest": [
        "uv run --with x python -m pytest",
        "pytest [via python -m]",
    ],
    "uv tool run black .": ["uv tool run black .", "black . [via uv tool run]"],
    "uv sync --frozen": ["uv sync --frozen"],
    "poetry run pip install x": ["poetry run pip install x", "pip install x [via poetry run]"],
    "conda run -n e pip install x": [
        "conda run -n e pip install x",
        "pip install x [via conda run]",
    ],
    "bundle exec rake assets": ["bundle exec rake assets", "rake assets [via bundle exec, opaque]"],
    "xx-go build": ["go build [via xx-go]"],
    "rustup run nightly cargo build": [
        "rustup run nightly cargo build",
        "cargo build [via rustup run]",
    ],
    # What may run anything.
    "make -j && just x && npm run build": [
        "make -j [opaque]",
        "just x [opaque]",
        "npm run build [opaque]",
    ],
    "./build.sh && /opt/x/run && node_modules/.bin/tsc": [
        "build.sh [opaque]",
        "run [opaque]",
        "tsc [opaque]",
    ],
    "/usr/local/bin/uv sync && .venv/bin/pip x && ./gradlew build && ./mvnw -B package": [
        "uv sync",
        "pip x",
        "gradlew build",
        "mvnw -B package",
    ],
    "$SUDO apt-get update": ["? apt-get update [opaque]"],
    "find / -name x -exec rm -rf {} +": ["find / -name x -exec rm -rf {} +"],
    "find / -name x -exec ./y {} \\;": ["find / -name x -exec ./y {} ; [opaque]"],
    ". venv/bin/activate && pip x": [
        ". venv/bin/activate",
        "pip x [CONDA_PREFIX=None, PATH=None, PS1=None, VIRTUAL_ENV=None, VIRTUAL_ENV_PROMPT=None]",
    ],
    '$VENV/bin/pip install x && "$VENV/bin/python" -m uv sync': [
        "pip install x",
        "uv sync [via python -m]",
    ],
    "${X}pip x": ["? x [opaque]"],
    '. "$HOME/.cargo/env" && cargo x': [". /root/.cargo/env", "cargo x [PATH=None]"],
    "export A=1; . ./env.sh; B=2 pip x": [
        "export A=1",
        ". ./env.sh [A=1, opaque]",
        "pip x [B=2, in None, not environment_known]",
    ],
    "f() { pip x; }; f": ["pip x [in None]"],
    "f() { pip x; }; [ -n y ] && f": ["pip x [in None, conditional]", "[ -n y ]"],
    "f() { [ -n y ] && return; pip x; }; f": [
        "[ -n y ] [in None, conditional]",
        "return [in None, conditional]",
        "pip x [in None, conditional]",
    ],
    "f() { g; }; g() { if true; then pip x; fi; pip y; }; f": [
        "true [in None]",
        "pip x [in None, conditional]",
        "pip y [in None]",
    ],
    "f() { cd /x; }; f; pip y": [
        "cd /x [in None]",
        "pip y [in None, not environment_known]",
    ],
    'retry() { "$@" || "$@"; }; retry pip install x': ["pip install x"],
    "pip install $(cat x) `y`": ["pip install ? ?", "cat x", "y"],
}


@pytest.mark.parametrize("run", RUNS)
def test_what_is_run(run: str) -> None:
    found = read(run)
    assert [shown(item) for item in found.items] == RUNS[run]
    assert found.complete


INCOMPLETE: dict[str, list[str]] = {
    'eval "$(x)" && pip y': [
        "eval ? [opaque]",
        "x [in None, not environment_known]",
        "pip y [in None, not environment_known]",
    ],
    "<<EOF\n#!/usr/bin/env python3\nimport pip\nEOF": [],
    "python3 <<EOF\nimport pip\nEOF": ["python3 [opaque]"],
    "echo {{ name }} && pip x": [],
    "{% if a %}pip x{% endif %}": [],
    "pip 'x": ["pip x"],
    'su app -c "$CMD"': ["su app -c ? [opaque]"],
    'sh -c "$CMD"': ["sh -c ? [opaque]"],
    "sh -c 'pip x; if'": ["pip x"],
    "trap 'pip x' EXIT; pip y": ["trap pip x EXIT", "pip y"],
}


@pytest.mark.parametrize(
    "run",
    ["sudo -u", "su -c", "gosu", "env -u", "timeout 5", "sh -c", "npx", "nice -n", "xargs -I"],
)
def test_a_wrapper_with_nothing_behind_it(run: str) -> None:
    assert [item.program for item in read(run).items] == [run.split()[0]]


@pytest.mark.parametrize("run", INCOMPLETE)
def test_what_cannot_be_told(run: str) -> None:
    found = read(run)
    assert not found.complete
    assert [shown(item) for item in found.items] == INCOMPLETE[run]


@pytest.mark.parametrize(
    "shell",
    [
        None,
        ("/bin/sh", "-c"),
        ("/bin/bash", "-o", "pipefail", "-c"),
        ("/bin/bash", "-euxo", "pipefail", "-c"),
        ("/busybox/sh", "-ec"),
        ("conda", "run", "-n", "e", "/bin/bash", "-c"),
        ("/usr/bin/env", "bash", "-c"),
    ],
)
def test_shells_that_are_read(shell: tuple[str, ...] | None) -> None:
    found = read("pip x", shell)
    assert [shown(item) for item in found.items] == ["pip x"]
    assert found.complete


@pytest.mark.parametrize("shell", [("/bin/bash", "-lc"), ("bash", "--login", "-c")])
def test_a_login_shell_as_shell(shell: tuple[str, ...]) -> None:
    assert [shown(item) for item in read("pip x", shell).items] == ["pip x [login]"]


@pytest.mark.parametrize(
    "shell",
    [
        ("pwsh", "-Command"),
        ("cmd", "/S", "/C"),
        ("/usr/bin/fish", "-c"),
        ("python3", "-c"),
        ("sh",),
    ],
)
def test_other_shells_tell_nothing(shell: tuple[str, ...]) -> None:
    found = read("pip x", shell)
    assert (found.items, found.complete) == ((), False)
    assert read('["pip", "x"]', shell).complete
