"""Every construct that can stand in a file any number of times: ``make(n)`` writes it n times."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.grammar import DEVCONTAINER, DOCKERFILE

Make = Callable[[int], str]

F = "FROM debian:13\n"
M = "--mount=type=cache,target=/root/.cache/pip"
CONSTRUCTS: dict[str, tuple[str, Make]] = {}


def d(name: str, make: Make) -> None:
    CONSTRUCTS[name] = DOCKERFILE, make


def j(name: str, make: Make) -> None:
    CONSTRUCTS[f"json {name}"] = DEVCONTAINER, make


d("comments", lambda n: F + "# x\n" * n)
d("ignore comments", lambda n: F + "# cachekey: ignore[CK101]\nRUN true\n" * n)
d("ignore block", lambda n: F + "# cachekey: ignore[CK101]\n" * n + "RUN true\n")
d(
    "ignore names",
    lambda n: F + "# cachekey: ignore[" + ", ".join(f"CK{i}" for i in range(n)) + "]\nRUN true\n",
)
d(
    "ignore unknown names",
    lambda n: (
        F + "# cachekey: ignore[" + ", ".join(f"split-cach{i}" for i in range(n)) + "]\nRUN true\n"
    ),
)
d("blank lines", lambda n: F + "\n" * n)
d("env", lambda n: F + "".join(f"ENV A{i}={i}\n" for i in range(n)))
d("env one", lambda n: F + "ENV " + " ".join(f"A{i}={i}" for i in range(n)))
d("arg", lambda n: F + "".join(f"ARG A{i}={i}\n" for i in range(n)))
d("arg one", lambda n: F + "ARG " + " ".join(f"A{i}={i}" for i in range(n)))
d("global arg", lambda n: "".join(f"ARG A{i}={i}\n" for i in range(n)) + F)
d("env chain", lambda n: F + "ENV A0=1\n" + "".join(f"ENV A{i + 1}=$A{i}\n" for i in range(n)))
d("env same", lambda n: F + "ENV A=b\n" * n)
d(
    "env unresolved chain",
    lambda n: F + "ARG X\nENV A0=$X\n" + "".join(f"ENV A{i + 1}=$A{i}-$Y{i}\n" for i in range(n)),
)
d("expansion words", lambda n: F + "ENV A=1\nENV B=" + "$A" * n)
d("expansion nested", lambda n: F + "ENV B=" + "${A:-" * n + "}" * n)
d(
    "expansion sym",
    lambda n: F + "ARG A\nENV B=" + "$A" * n + "\nRUN " + M + ",id=$B pip install x\n",
)
d(
    "key sym",
    lambda n: F + "ARG A\nRUN --mount=type=cache,target=/x,id=" + "$A" * n + " pip install x\n",
)
d("user", lambda n: F + "".join(f"USER u{i}\nRUN {M} pip install x\n" for i in range(n)))
d(
    "user numeric",
    lambda n: (
        F
        + "".join(f"RUN useradd -u {i + 1000} u{i}\n" for i in range(n))
        + "".join(f"USER {i + 1000}\nRUN {M} pip install x\n" for i in range(n))
    ),
)
d("useradd", lambda n: F + "".join(f"RUN useradd -u {i} u{i}\n" for i in range(n)))
d("useradd one", lambda n: F + "RUN " + " && ".join(f"useradd -u {i} u{i}" for i in range(n)))
d(
    "runs users sharing",
    lambda n: (
        F
        + "RUN useradd -u 1000 app\n"
        + f"RUN {M},id=x pip install a\nUSER app\nRUN {M},id=x pip install a\nUSER root\n" * n
    ),
)
d(
    "runs users",
    lambda n: (
        F
        + "RUN useradd -u 1000 app\nENV PIP_CACHE_DIR=/c\nUSER app\n"
        + "RUN --mount=type=cache,target=/c pip install a\n" * n
    ),
)
d("relative", lambda n: F + "WORKDIR /app\n" + "RUN --mount=type=cache,target=.npm npm ci\n" * n)
d("runs", lambda n: F + "RUN true\n" * n)
d("runs mounts", lambda n: F + f"RUN {M} pip install x\n" * n)
d("runs ids", lambda n: F + "".join(f"RUN {M},id=a{i} pip install x\n" for i in range(n)))
d(
    "runs targets",
    lambda n: F + "".join(f"RUN --mount=type=cache,target=/x{i} pip install x\n" for i in range(n)),
)
d(
    "runs apt",
    lambda n: (
        F
        + "RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y curl\n"
        * n
    ),
)
d("runs nothing cached", lambda n: F + "RUN pip install x\n" * n)
d("runs npm", lambda n: "FROM node:22\nWORKDIR /a\n" + "RUN npm ci\n" * n)
d(
    "runs go",
    lambda n: (
        "FROM golang:1\nWORKDIR /a\n"
        + "RUN --mount=type=cache,target=/root/.cache/go-build go build ./...\n" * n
    ),
)
d(
    "runs cargo",
    lambda n: (
        "FROM rust:1\nWORKDIR /a\n" + "RUN --mount=type=cache,target=target cargo build\n" * n
    ),
)
d("runs uv", lambda n: F + "RUN --mount=type=cache,target=/root/.cache/uv uv sync\n" * n)
d(
    "runs config",
    lambda n: (
        "FROM node:22\n"
        + "RUN npm config set cache /x\nRUN --mount=type=cache,target=/x npm ci\n" * n
    ),
)
d(
    "mixed sharing",
    lambda n: F + f"RUN {M},id=a,sharing=locked pip install x\nRUN {M},id=a pip install x\n" * n,
)
d("owners", lambda n: F + "".join(f"RUN {M},id=a,uid={i} pip install x\n" for i in range(n)))
d(
    "key collision",
    lambda n: (
        F
        + "".join(
            "RUN --mount=type=cache,id=a,target=/root/.cache/pip pip install x\nRUN --mount=type=cache,id=a,target=/root/.cache/uv uv sync\n"
            for i in range(n)
        )
    ),
)
d(
    "split",
    lambda n: (
        F
        + "".join(
            f"RUN --mount=type=cache,id=a{i},target=/root/.cache/uv uv sync\n" for i in range(n)
        )
    ),
)
d("mounts one", lambda n: F + "RUN " + f"{M} " * n + "pip install x\n")
d(
    "mounts ids",
    lambda n: (
        F
        + "RUN "
        + " ".join(f"--mount=type=cache,target=/x{i},id={i}" for i in range(n))
        + " pip install x\n"
    ),
)
d(
    "mounts pip uses",
    lambda n: (
        F
        + "RUN "
        + " ".join(f"--mount=type=cache,target=/root/.cache/x{i},id={i}" for i in range(n))
        + " "
        + " && ".join(["pip install x"] * n)
        + "\n"
    ),
)
d(
    "mount options",
    lambda n: F + "RUN --mount=type=cache,target=/x" + ",id=a" * n + " pip install x\n",
)
d(
    "mount unknown options",
    lambda n: F + "RUN --mount=type=cache,target=/x" + ",idd=a" * n + " pip install x\n",
)
d("mount commas", lambda n: F + "RUN --mount=type=cache,target=/x" + "," * n + " pip install x\n")
d("mount quotes", lambda n: F + 'RUN --mount=type=cache,\'"""b' + ',"""b' * n + "' pip install x\n")
d("mount quotes2", lambda n: F + "RUN --mount=type=cache,'\"" + '""' * n + "' pip install x\n")
d("mount quotes3", lambda n: F + "RUN --mount=type=cache,'" + '"a"",' * n + "' pip install x\n")
d("flags unknown", lambda n: F + "RUN " + "--foo=1 " * n + " pip install x\n")
d("flag long", lambda n: F + "RUN --" + "x" * n + "=1 pip\n")
d("stages", lambda n: "".join(f"FROM debian:13 AS s{i}\nRUN {M} pip install x\n" for i in range(n)))
d("stages unnamed", lambda n: "FROM debian:13\n" * n)
d(
    "stages chain",
    lambda n: (
        "FROM debian:13 AS s0\n"
        + "".join(f"FROM s{i} AS s{i + 1}\nRUN {M} pip install x\n" for i in range(n))
    ),
)
d(
    "stages chain config",
    lambda n: (
        "FROM node:22 AS s0\n"
        + "".join(
            f"FROM s{i} AS s{i + 1}\nRUN npm config set cache /x && npm ci\n" for i in range(n)
        )
    ),
)
d(
    "stages copy",
    lambda n: (
        "FROM debian:13 AS s0\nRUN "
        + M
        + " pip install x\n"
        + "".join(f"FROM debian:13\nCOPY --from=s0 /root/.cache/pip /x{i}\n" for i in range(n))
    ),
)
d(
    "copies",
    lambda n: (
        "FROM debian:13 AS s0\nRUN "
        + M
        + " pip install x\nFROM debian:13\n"
        + "".join(f"COPY --from=s0 /root/.cache/pip /x{i}\n" for i in range(n))
    ),
)
d(
    "runs copies",
    lambda n: (
        "FROM debian:13 AS s0\n"
        + f"RUN {M} pip install x\n" * n
        + "FROM debian:13\n"
        + "".join(f"COPY --from=s0 /root/.cache/pip /x{i}\n" for i in range(n))
    ),
)
d(
    "stages from mount",
    lambda n: "".join(
        f"FROM debian:13 AS s{i}\nRUN --mount=type=cache,target=/x,from=s0 pip install x\n"
        for i in range(1, n)
    ),
)
d("onbuild", lambda n: F + f"ONBUILD RUN {M} pip install x\n" * n)
d(
    "onbuild triggers",
    lambda n: "FROM debian:13 AS b\n" + f"ONBUILD RUN {M} pip install x\n" * n + "FROM b\n" * n,
)
d("workdir", lambda n: F + "WORKDIR a\n" * n)
d("shell instr", lambda n: F + 'SHELL ["bash", "-c"]\nRUN true\n' * n)
d("heredocs", lambda n: F + "RUN <<E\npip install x\nE\n" * n)
d(
    "heredocs one",
    lambda n: (
        F
        + "RUN "
        + " ".join(f"<<E{i}" for i in range(n))
        + "\n"
        + "".join(f"x\nE{i}\n" for i in range(n))
    ),
)
d("heredocs unclosed", lambda n: F + "RUN <<A\n" * n)
d("heredoc long", lambda n: F + "RUN <<E\n" + "pip install x\n" * n + "E\n")
d("heredocs open", lambda n: F + "RUN " + " ".join(f"<<E{i}" for i in range(n)))
d("continuation", lambda n: F + "RUN a \\\n" + "  b \\\n" * n)
d("continuation comments", lambda n: F + "RUN a \\\n" + "# c\n" * n + " b\n")
d("continued pip", lambda n: F + f"RUN {M} pip install \\\n" + "  b \\\n" * n)
d("words", lambda n: F + "RUN " + M + " pip install" + " a" * n)
d("words npm", lambda n: F + "RUN " + M + " npm exec" + " a" * n)
for t in [
    "apt-get install",
    "npm install",
    "yarn add",
    "pnpm install",
    "uv pip install",
    "cargo install",
    "go get",
    "bundle install",
    "composer require",
    "conda install",
    "poetry run",
    "mvn",
    "gradle",
    "bazel build",
    "make",
    "dnf install",
    "apk add",
    "deno run",
    "bun add",
    "dotnet restore",
    "uv run x",
    "npx x",
    "ccache gcc",
    "rm -rf",
    "mkdir -p",
    "chown -R a",
    "find . -exec",
    "xargs",
    "python -m pip install",
    "sudo pip install",
    "env A=1 pip install",
    "time pip install",
    "ln -s",
    "chmod -R",
    "sed -i",
    "echo",
    "cp -r",
    "mv",
    "git clone",
    "curl",
]:
    d(f"words {t}", lambda n, t=t: F + "RUN " + M + f" {t}" + " a" * n)
    d(f"options {t}", lambda n, t=t: F + "RUN " + M + f" {t}" + " --a b" * n)
    d(f"cmds {t}", lambda n, t=t: F + "RUN " + M + f" {t} x" + f" && {t} x" * n)
    d(f"runs {t}", lambda n, t=t: F + f"RUN {M} {t} x\n" * n)
d("and", lambda n: F + "RUN true" + " && true" * n)
d("pipes", lambda n: F + "RUN true" + " | true" * n)
d("semis", lambda n: F + "RUN true" + "; true" * n)
d("or", lambda n: F + "RUN true" + " || A=1" * n)
d("assign", lambda n: F + "RUN " + "".join(f"A{i}=1;" for i in range(n)))
d("assign and", lambda n: F + "RUN true" + "".join(f" && A{i}=1" for i in range(n)))
d("inline", lambda n: F + "RUN " + " ".join(f"A{i}=1" for i in range(n)) + " pip install x")
d(
    "export",
    lambda n: F + "RUN export " + " ".join(f"A{i}=1" for i in range(n)) + " && pip install x",
)
d("exports", lambda n: F + "RUN " + "".join(f"export A{i}=1;" for i in range(n)) + " pip install x")
d("unset", lambda n: F + "RUN " + "".join(f"unset A{i};" for i in range(n)) + " pip install x")
d("env cmd", lambda n: F + "RUN env " + " ".join(f"A{i}=1" for i in range(n)) + " pip install x")
d("env wrap", lambda n: F + "RUN " + "env " * n + " pip install x")
d("sudo wrap", lambda n: F + "RUN " + "sudo -u app " * n + " pip install x")
d("subshells", lambda n: F + "RUN " + "(true);" * n)
d("nested subshells", lambda n: F + "RUN " + "(" * n + "pip install x" + ")" * n)
d("nested braces", lambda n: F + "RUN " + "{ " * n + "pip install x;" + "};" * n)
d("nested subst", lambda n: F + "RUN " + "echo $(" * n + "pip install x" + ")" * n)
d("substs", lambda n: F + "RUN echo " + "$(pip install x) " * n)
d("backticks", lambda n: F + "RUN echo " + "`pip install x` " * n)
d("open subst", lambda n: F + "RUN " + "$(" * n)
d("open quotes", lambda n: F + "RUN " + "a='" * n)
d("loops", lambda n: F + "RUN " + "for i in a; do pip install x; cd y; done; " * n)
d("nested loops", lambda n: F + "RUN " + "for i in a; do " * n + "cd x;" + "done;" * n)
d("nested if", lambda n: F + "RUN " + "if true; then " * n + "A=1;" + "fi;" * n)
d("case", lambda n: F + "RUN case a in " + "a) true;; " * n + "esac")
d(
    "functions",
    lambda n: (
        F + "RUN " + "".join(f'f{i}() {{ cd x; "$@"; }}; f{i} pip install x; ' for i in range(n))
    ),
)
d("shc", lambda n: F + "RUN " + "sh -c 'pip install x'; " * n)
d("shc long", lambda n: F + "RUN sh -c '" + "pip install x;" * n + "'")
d("shc dq", lambda n: F + 'RUN sh -c "' + "pip install $A;" * n + '"')
d("shell heredocs", lambda n: F + "RUN <<A\n" + "sh <<B\npip install x\nB\n" * n + "A\n")
d("shell heredocs unclosed", lambda n: F + "RUN <<A\n" + "sh <<B\npip\n" * n + "A\n")
d("cds", lambda n: F + "RUN " + "cd a; " * n + "pip install x")
d("cds npm", lambda n: F + "RUN " + "cd a; npm ci; " * n)
d("redirects", lambda n: F + "RUN echo " + "> a " * n)
d("globs", lambda n: F + "RUN ls " + "a*?[b] " * n)
d("globbracket", lambda n: F + "RUN ls " + "[" * n)
d("brace", lambda n: F + "RUN ls " + "{a," * n)
d(
    "cleanups",
    lambda n: (
        F + "RUN --mount=type=cache,target=/var/cache/apt " + "apt-get clean && " * n + "true"
    ),
)
d(
    "cleanups rm",
    lambda n: (
        F
        + "RUN --mount=type=cache,target=/var/cache/apt "
        + "rm -rf /var/cache/apt/* && " * n
        + "true"
    ),
)
d(
    "cleanups rm words",
    lambda n: F + "RUN --mount=type=cache,target=/var/cache/apt rm -rf " + "/var/cache/apt/* " * n,
)
d("disabled", lambda n: F + f"RUN {M} pip install" + " --no-cache-dir" * n + " x")
d("disabled env", lambda n: F + "ENV PIP_NO_CACHE_DIR=1\n" * n + f"RUN {M} pip install x\n")
d("disabled env many", lambda n: F + "ENV PIP_NO_CACHE_DIR=1\n" + f"RUN {M} pip install x\n" * n)
d("execform", lambda n: F + 'RUN ["pip"' + ', "install"' * n + "]")
d("execform sh", lambda n: F + 'RUN ["sh", "-c", "' + "pip install x; " * n + '"]')
d(
    "ln",
    lambda n: (
        F
        + "".join(
            f"RUN ln -s /a{i} /b\nRUN --mount=type=cache,target=/zz{i} pip install x\n"
            for i in range(n)
        )
    ),
)
d(
    "undeclared",
    lambda n: F + "RUN --mount=type=cache,target=/x,id=$TARGETARCH-x pip install x\n" * n,
)
d(
    "undeclared stages",
    lambda n: "".join(
        "FROM debian:13\nRUN --mount=type=cache,target=/x,id=$TARGETARCH-x pip install x\n"
        for i in range(n)
    ),
)
d(
    "platforms",
    lambda n: (
        "FROM --platform=$BUILDPLATFORM golang:1\n"
        + "ARG TARGETARCH\nRUN --mount=type=cache,target=/root/.cache/go-build GOARCH=$TARGETARCH go build\n"
        * n
    ),
)
d("bind", lambda n: F + "RUN --mount=type=bind,source=x,target=/x pip install x\n" * n)
d("not a mount", lambda n: F + "RUN mount=type=cache,target=/x pip install x\n" * n)
d(
    "not a mount words",
    lambda n: F + "RUN " + "mount=type=cache,target=/x " * n + " pip install x\n",
)
d("not a mount flags", lambda n: F + "RUN " + "--type=cache,target=/x " * n + " pip install x\n")
d("literal home", lambda n: F + "RUN --mount=type=cache,target=~/.cache/pip pip install x\n" * n)
d("unknown instr", lambda n: F + "FOO bar\n" * n)
d("long line", lambda n: F + "RUN " + "a" * n)
d("long word eq", lambda n: F + "RUN " + "a=" * n)
d("quotes word", lambda n: F + "RUN " + "'a'\"b\"" * n)
d("backslashes", lambda n: F + "RUN " + "\\a" * n)
d("dollars", lambda n: F + "RUN " + "$" * n)
d("templates", lambda n: F + "RUN " + "{{ x }} " * n)
d("templates lines", lambda n: F + "{{ x }}\n" * n)
d("directives", lambda n: "# syntax=x\n" * n + F)
d("cr", lambda n: F + "RUN a\r" * n)
d("crlf", lambda n: F + f"RUN {M} \\\r\n pip install x\r\n" * n)
d("folders", lambda n: F + "RUN --mount=type=cache,target=/" + "a/" * n + " pip install x\n")
d("dotdot", lambda n: F + "RUN --mount=type=cache,target=/" + "../" * n + " pip install x\n")
d("healthcheck", lambda n: F + "HEALTHCHECK CMD x\n" * n)
d("labels", lambda n: F + "LABEL a=b\n" * n)
d("volume", lambda n: F + "VOLUME /root/.cache/pip\n" * n + f"RUN {M} pip install x\n" * n)
# json
j("empty objects", lambda n: '{"a":[' + "{}," * n + "{}]}")
j("nested arrays", lambda n: "[" * n)
j("nested objects", lambda n: '{"a":' * n)
j("members", lambda n: "{" + ",".join(f'"a{i}": 1' for i in range(n)) + "}")
j("same members", lambda n: "{" + ",".join('"mounts": []' for i in range(n)) + "}")
j(
    "mounts",
    lambda n: (
        '{"image":"debian","mounts":['
        + ",".join(f'"type=volume,source=v{i},target=/root/.cache/{i}"' for i in range(n))
        + "]}"
    ),
)
j(
    "mounts same",
    lambda n: (
        '{"image":"debian","mounts":['
        + ",".join('"type=volume,source=v,target=/root/.cache/pip"' for i in range(n))
        + "]}"
    ),
)
j(
    "mounts objects",
    lambda n: (
        '{"image":"debian","mounts":['
        + ",".join(
            f'{{"type":"volume","source":"v{i}","target":"/root/.cache/{i}"}}' for i in range(n)
        )
        + "]}"
    ),
)
j(
    "mounts cache",
    lambda n: (
        '{"image":"debian","mounts":['
        + ",".join(f'"type=cache,source=v{i},target=/root/.cache/{i}"' for i in range(n))
        + "]}"
    ),
)
j(
    "mount options",
    lambda n: (
        '{"image":"debian","mounts":["type=volume,source=v,target=/x'
        + ",consistency=cached" * n
        + '"]}'
    ),
)
j(
    "mount unknown options",
    lambda n: (
        '{"image":"debian","mounts":["type=volume,source=v,target=/x' + ",foo=cached" * n + '"]}'
    ),
)
j(
    "mount quotes",
    lambda n: '{"image":"debian","mounts":["type=volume,\\"\\"\\"b' + ',\\"\\"\\"b' * n + '"]}',
)
j(
    "volumes chowns",
    lambda n: (
        '{"image":"mcr.microsoft.com/devcontainers/base:ubuntu","remoteUser":"vscode","mounts":['
        + ",".join(f'"type=volume,source=v{i},target=/cache/{i}"' for i in range(n))
        + '],"postCreateCommand":"'
        + " && ".join(f"sudo chown -R vscode /cachex/{i}" for i in range(n))
        + '"}'
    ),
)
j(
    "volumes no chowns",
    lambda n: (
        '{"image":"mcr.microsoft.com/devcontainers/base:ubuntu","remoteUser":"vscode","mounts":['
        + ",".join(f'"type=volume,source=v{i},target=/cache/{i}"' for i in range(n))
        + "]}"
    ),
)
j(
    "binds init",
    lambda n: (
        '{"image":"debian","mounts":['
        + ",".join(
            f'"type=bind,source=${{localEnv:HOME}}/v{i},target=/cache/{i}"' for i in range(n)
        )
        + '],"initializeCommand":"'
        + " && ".join(f"mkdir -p $HOME/w{i}" for i in range(n))
        + '"}'
    ),
)
j(
    "containerEnv",
    lambda n: (
        '{"image":"debian","containerEnv":{'
        + ",".join(f'"A{i}":"${{localEnv:A{i}}}"' for i in range(n))
        + "}}"
    ),
)
j(
    "containerEnv tools",
    lambda n: (
        '{"image":"debian","containerEnv":{'
        + ",".join(f'"UV_CACHE_DIR":"/x{i}"' for i in range(n))
        + "}}"
    ),
)
j(
    "variables in string",
    lambda n: (
        '{"image":"debian","mounts":["type=volume,source=v' + "${localEnv:A}" * n + ',target=/x"]}'
    ),
)
j(
    "variables bad",
    lambda n: (
        '{"image":"debian","mounts":["type=volume,source=v' + "${foo:A}" * n + ',target=/x"]}'
    ),
)
j(
    "variables open",
    lambda n: (
        '{"image":"debian","mounts":["type=volume,source=v' + "${localEnv:A" * n + ',target=/x"]}'
    ),
)
j(
    "defaults",
    lambda n: (
        '{"image":"debian","mounts":["type=volume,source=v'
        + "${localEnv:A:b:c}" * n
        + ',target=/x"]}'
    ),
)
j(
    "containerEnv var",
    lambda n: (
        '{"image":"debian","mounts":['
        + ",".join('"type=volume,source=${containerEnv:A},target=/x"' for i in range(n))
        + "]}"
    ),
)
j(
    "runArgs",
    lambda n: (
        '{"image":"debian","runArgs":['
        + ",".join('"--mount=type=cache,target=/x"' for i in range(n))
        + "]}"
    ),
)
j(
    "runArgs v",
    lambda n: (
        '{"image":"debian","runArgs":[' + ",".join(f'"-v","v{i}:/x{i}"' for i in range(n)) + "]}"
    ),
)
j(
    "features",
    lambda n: (
        '{"image":"debian","features":{'
        + ",".join(f'"ghcr.io/a/b{i}:1":{{}}' for i in range(n))
        + "}}"
    ),
)
j("comments", lambda n: "{" + "// x\n" * n + "}")
j("ignore comments", lambda n: "{" + "// cachekey: ignore[CK701]\n" * n + "}")
j("trailing commas", lambda n: '{"a":[' + "," * n + "]}")
j("string escapes", lambda n: '{"a":"' + "\\u0041" * n + '"}')
j(
    "mount escapes",
    lambda n: '{"image":"debian","mounts":["type=volume,source=' + "\\u0041" * n + ',target=/x"]}',
)
j("string cont", lambda n: '{"a":"' + "\\\n" * n + '"}')
j(
    "lifecycle",
    lambda n: (
        '{"image":"debian","mounts":["type=volume,source=v,target=/root/.cache/pip"],"postCreateCommand":{'
        + ",".join(f'"a{i}":"pip install x"' for i in range(n))
        + "}}"
    ),
)
j(
    "lifecycle arr",
    lambda n: (
        '{"image":"debian","mounts":["type=volume,source=v,target=/root/.cache/pip"],"postCreateCommand":['
        + ",".join(f'"a{i}"' for i in range(n))
        + "]}"
    ),
)
j("single quotes", lambda n: "{" + ",".join(f"'a{i}': 'b'" for i in range(n)) + "}")
j("json5", lambda n: "{" + ",".join(f"a{i}: +1" for i in range(n)) + "}")
j(
    "compose files",
    lambda n: (
        '{"dockerComposeFile":[' + ",".join(f'"a{i}.yml"' for i in range(n)) + '],"service":"a"}'
    ),
)
j("unclosed strings", lambda n: '{"a": "b\n' * n)
j("garbage", lambda n: "}" * n)
j("words", lambda n: "tru " * n)
