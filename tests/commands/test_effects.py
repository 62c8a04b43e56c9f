"""What each command does to files: read, written, copied, linked, removed."""

from __future__ import annotations

import pytest
from cachekey.commands.effect import Effect, covers
from cachekey.commands.effects import effects_of

from tests.commands.test_read import read


def shown(run: str) -> list[str]:
    found = []
    for item in read(run).items:
        effects = effects_of(item)
        if effects is None:
            found.append(f"{item.program}: unknown")
        else:
            found += [_line(one) for one in effects]
    return found


def _line(one: Effect) -> str:
    to = f" -> {one.to}" if one.kind in ("copies", "moves", "links") else ""
    return (
        f"{one.kind} {one.path}{to}" + (" deep" if one.deep else "") + (" part" if one.part else "")
    )


RUNS = {
    "cp -r target/app /out/": ["copies /app/target/app -> /out deep"],
    "cp -s /a/b /c": ["links /a/b -> /c"],
    "mv -t /opt a b": ["moves /app/a -> /opt deep", "moves /app/b -> /opt deep"],
    "install -Dm755 app /usr/bin/app": ["copies /app/app -> /usr/bin/app"],
    "install -d -m 755 /x": ["makes /x"],
    'ln -s "$NOBODY" /usr/bin/x': ["links None -> /usr/bin/x"],
    "ln -sf x /etc/cache": ["links /etc/x -> /etc/cache"],
    'rm -rf ~/.bundle/ "$APP"/ruby/*/cache $NOBODY/y': [
        "removes /root/.bundle deep",
        "removes /srv/app/ruby/*/cache deep",
        "removes None deep",
    ],
    "tar -C target/release -cf /out.tar app": [
        "copies /app/target/release/app -> /out.tar deep",
        "writes /out.tar",
    ],
    "tar xzf a.tgz -C /opt --strip-components=1": ["reads /app/a.tgz", "writes /opt deep"],
    "cat target/x > /x 2>&1": ["reads /app/target/x", "writes /x"],
    "echo a >> /etc/x < /dev/null": ["writes /etc/x"],
    "find /c -type f -delete": ["removes /c deep", "reads /c deep"],
    "find /c -name '*.lock' -exec rm {} +": ["removes /c deep part", "reads /c deep"],
    "find . -exec ./x.sh {} \\;": ["find: unknown"],
    "sed -i s/a/b/ /etc/f; sed -n 1p g": ["writes /etc/f", "reads /app/g"],
    "curl -fsSLo /tmp/x https://x && curl -LO https://x": ["writes /tmp/x", "writes /app/*"],
    "wget https://x; wget -qO- https://x": ["writes /app/*"],
    "git clone --depth 1 https://x/y.git": ["writes /app/y deep"],
    "/tmp/x/install a /b": ["install: unknown"],
    "dd if=a of=/b bs=1M": ["copies /app/a -> /b", "writes /b"],
    "unzip -q a.zip -d /opt": ["reads /app/a.zip", "writes /opt deep"],
    "chown -R app:app /home/app": ["opens /home/app deep"],
    'for d in a b; do p=/x/$d; mkdir "$p" && chown u $p; rm -r "$p"; done': [
        "makes /x/a",
        "makes /x/b",
        "opens /x/a",
        "opens /x/b",
        "removes None deep",
    ],
    'for d in $(ls) "${A[@]}"; do mkdir "$d"; done': ["makes None"],
    "cd /x && mkdir -p y": ["makes /x/y"],
    "ls | xargs rm -rf": ["removes None deep"],
    "npm install": ["npm: unknown"],
    "make": ["make: unknown"],
    "X=$(python -c 'print(1)')": [],
    "sudo sh -c 'cp a /b'": ["copies /app/a -> /b"],
}


@pytest.mark.parametrize("run", RUNS)
def test_effects(run: str) -> None:
    assert shown(run) == RUNS[run]


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("/var/lib/apt/lists/*", "/var/lib/apt/lists", True),
        ("/var/lib/apt", "/var/lib/apt/lists", True),
        ("/b/ruby/*/cache", "/b/ruby/3.4.0/cache", True),
        ("/b/ruby/*/gems", "/b/ruby/3.4.0/cache", False),
        ("/var/lib/apt/lists/*", "/var/lib/apt", False),
        ("/", "/var", True),
    ],
)
def test_what_a_removal_covers(path: str, folder: str, expected: bool) -> None:
    assert covers(Effect("removes", path, None, None, True), folder) is expected


def test_an_unquoted_variable_is_several_words() -> None:
    items = read("$APP/x; $TOOL install").items
    assert [item.program for item in items] == ["x", None]


def test_a_value_of_very_many_words_is_not_known() -> None:
    from cachekey.commands.read import read_commands
    from cachekey.syntax.dockerfile.parse import parse
    from cachekey.text import Source

    run = parse(Source("FROM x\nRUN $PIP install\n")).instructions[1]
    for value, program in (("uv pip", "uv"), ("uv " * 100_000, None)):
        found = read_commands(run, shell=None, lookup={"PIP": value}.get, workdir="/")
        assert [item.program for item in found.items] == [program]
