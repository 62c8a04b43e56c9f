"""Taking one call out of a RUN: byte for byte, and the shell still accepts what is left.

The call that goes is ``rm``. In the tables, ``~`` stands for a continuation's backslash at a line's
end, which would be hard to read otherwise.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest
from cachekey.commands.invocation import removals
from cachekey.commands.read import Commands, read_commands
from cachekey.syntax.dockerfile.parse import parse
from cachekey.syntax.shell.parse import remove_word
from cachekey.text import Source, apply_edits


def read(source: Source) -> Commands:
    run = next(one for one in parse(source).instructions if one.keyword == "RUN")
    return read_commands(run, shell=None, lookup=lambda _: None, workdir="/")


def written(text: str) -> str:
    return text.replace("~\n", "\\\n")


GOES = {
    "behind on one line": ("RUN a && rm -rf /x\n", "RUN a\n"),
    "first on one line": ("RUN rm -rf /x && a\n", "RUN a\n"),
    "between on one line": ("RUN a && rm -rf /x && b\n", "RUN a && b\n"),
    "behind a semicolon": ("RUN a; rm /x; b\n", "RUN a; b\n"),
    "last behind a semicolon": ("RUN a; rm /x\n", "RUN a\n"),
    "semicolon then and": ("RUN a; rm /x && b\n", "RUN a; b\n"),
    "and then semicolon": ("RUN a && rm /x; b\n", "RUN a; b\n"),
    "leading style, last": (
        "RUN a ~\n    && b ~\n    && rm /x\nUSER u\n",
        "RUN a ~\n    && b\nUSER u\n",
    ),
    "leading style, between": (
        "RUN a ~\n    && rm -rf /x ~\n    && b\n",
        "RUN a ~\n    && b\n",
    ),
    "leading style, first": ("RUN rm /x ~\n    && a ~\n    && b\n", "RUN a ~\n    && b\n"),
    "leading style, two on a line": (
        "RUN a ~\n && b && rm /x ~\n && c\n",
        "RUN a ~\n && b ~\n && c\n",
    ),
    "leading style, first on a line of two": (
        "RUN a ~\n && rm /x && b ~\n && c\n",
        "RUN a ~\n && b ~\n && c\n",
    ),
    "trailing style, last": ("RUN a && ~\n    rm /x\n", "RUN a\n"),
    "trailing style, between": (
        "RUN a && ~\n    rm /x && ~\n    b\n",
        "RUN a && ~\n    b\n",
    ),
    "trailing style, first": ("RUN rm /x && ~\n    a\n", "RUN a\n"),
    "trailing style, first on its own line": (
        "RUN --mount=type=cache,target=/c ~\n    rm /x && ~\n    a\n",
        "RUN --mount=type=cache,target=/c ~\n    a\n",
    ),
    "trailing style, first on a line of two": (
        "RUN a && ~\n    rm /x && b && ~\n    c\n",
        "RUN a && ~\n    b && ~\n    c\n",
    ),
    "trailing semicolons": ("RUN a; ~\n    rm /x; ~\n    b\n", "RUN a; ~\n    b\n"),
    "trailing semicolon at the end": ("RUN a; ~\n    rm /x;\n", "RUN a;\n"),
    "over several lines": (
        "RUN a ~\n  && rm -rf ~\n    /x ~\n    /y ~\n  && b\n",
        "RUN a ~\n  && b\n",
    ),
    "comment in front stays": (
        "RUN a ~\n    # why\n    && rm /x ~\n    && b\n",
        "RUN a ~\n    # why\n    && b\n",
    ),
    "comment in front of the last stays": (
        "RUN a ~\n    # why\n    && rm /x\nUSER u\n",
        "RUN a\n    # why\nUSER u\n",
    ),
    "comment behind stays": (
        "RUN a ~\n    && rm /x ~\n# why\n    && b\n",
        "RUN a ~\n# why\n    && b\n",
    ),
    "comment between connector and command, trailing": (
        "RUN a && ~\n    # why\n    rm /x && ~\n    b\n",
        "RUN a && ~\n    # why\n    b\n",
    ),
    "comment between connector and last command": (
        "RUN a && ~\n    # why\n    rm /x\n",
        "RUN a\n    # why\n",
    ),
    "comment inside the command": (
        "RUN a ~\n && rm ~\n # one\n /x ~\n && b\n",
        "RUN a ~\n # one\n && b\n",
    ),
    "comment behind the first": (
        "RUN rm /x && ~\n    # why\n    a\n",
        "RUN ~\n    # why\n    a\n",
    ),
    "comment behind the first, leading": (
        "RUN rm /x ~\n    # why\n    && a\n",
        "RUN ~\n    # why\n    a\n",
    ),
    "comment behind the first, more lines": (
        "RUN rm /x ~\n    # why\n    && a ~\n    && b\n",
        "RUN ~\n    # why\n    a ~\n    && b\n",
    ),
    "blank lines between": ("RUN a ~\n\n    && rm /x ~\n\n    && b\n", "RUN a ~\n\n\n    && b\n"),
    "tabs": ("RUN a \\\n\t&& rm /x \\\n\t&& b\n", "RUN a \\\n\t&& b\n"),
    "carriage returns": (
        "RUN a \\\r\n  && rm /x \\\r\n  && b\r\n",
        "RUN a \\\r\n  && b\r\n",
    ),
    "last, carriage returns": ("RUN a \\\r\n  && rm /x\r\nUSER u\r\n", "RUN a\r\nUSER u\r\n"),
    "no final line end": ("RUN a ~\n && rm /x", "RUN a"),
    "blanks behind the continuation": ("RUN a \\  \n && rm /x \\ \n && b\n", "RUN a \\  \n && b\n"),
    "backquote escapes": (
        "# escape=`\nRUN a `\n  && rm /x `\n  && b\n",
        "# escape=`\nRUN a `\n  && b\n",
    ),
    "last, backquote escapes": ("# escape=`\nRUN a `\n  && rm /x\n", "# escape=`\nRUN a\n"),
    "redirections go along": ("RUN a && rm /x > /dev/null 2>&1 && b\n", "RUN a && b\n"),
    "an assignment goes along": ("RUN a && LC_ALL=C rm /x && b\n", "RUN a && b\n"),
    "a wrapper goes along": ("RUN a && sudo -n rm /x && b\n", "RUN a && b\n"),
    "with its own fallback": ("RUN a; rm /x || true; b\n", "RUN a; b\n"),
    "with its own fallback, first": ("RUN rm /x || true && b\n", "RUN b\n"),
    "a fallback for more stays": ("RUN a && rm /x || true\n", "RUN a || true\n"),
    "in a group": ("RUN { a; rm /x; } && b\n", "RUN { a; } && b\n"),
    "first in a group": ("RUN { rm /x; a; } && b\n", "RUN { a; } && b\n"),
    "in a subshell": ("RUN (a && rm /x) && b\n", "RUN (a) && b\n"),
    "in a branch": (
        "RUN if c; then ~\n      a; ~\n      rm /x; ~\n    fi\n",
        "RUN if c; then ~\n      a; ~\n    fi\n",
    ),
    "behind a branch": ("RUN if c; then a; fi && rm /x\n", "RUN if c; then a; fi\n"),
    "in a loop": (
        "RUN for i in 1 2; do a $i && rm /x; done\n",
        "RUN for i in 1 2; do a $i; done\n",
    ),
    "in a script of its own": ("RUN sh -c 'a && rm /x'\n", "RUN sh -c 'a'\n"),
    "first in a script of its own": (
        'RUN bash -euxo pipefail -c "rm /x && a"\n',
        'RUN bash -euxo pipefail -c "a"\n',
    ),
    "alone in a script of its own": ("RUN a && su u -c 'rm /x' && b\n", "RUN a && b\n"),
    "script of its own over lines": (
        "RUN bash -c 'a && ~\n   rm /x && ~\n   b'\n",
        "RUN bash -c 'a && ~\n   b'\n",
    ),
    "exec form": ('RUN ["sh", "-c", "a && rm /x && b"]\n', 'RUN ["sh", "-c", "a && b"]\n'),
    "escaped quotes": (
        'RUN sh -c "a && \\"rm\\" \\"x\\" && \\"b\\""\n',
        'RUN sh -c "a && \\"b\\""\n',
    ),
    "escaped quotes, first": (
        'RUN sh -c "\\"rm\\" x && \\"b\\""\n',
        'RUN sh -c "\\"b\\""\n',
    ),
    "line of a here-document": (
        "RUN <<EOF\nset -e\na\nrm /x\nb\nEOF\n",
        "RUN <<EOF\nset -e\na\nb\nEOF\n",
    ),
    "first line of a here-document": ("RUN <<EOF\nrm /x\na\nEOF\n", "RUN <<EOF\na\nEOF\n"),
    "last line of a here-document": ("RUN <<EOF\na\nrm /x\nEOF\n", "RUN <<EOF\na\nEOF\n"),
    "here-document with a comment": (
        "RUN <<EOF\n  a\n  # why\n  rm /x  # tidy\n  b\nEOF\n",
        "RUN <<EOF\n  a\n  # why\n  # tidy\n  b\nEOF\n",
    ),
    "continued in a here-document": (
        "RUN <<EOF\na \\\n  && rm /x \\\n  && b\nEOF\n",
        "RUN <<EOF\na \\\n  && b\nEOF\n",
    ),
    "last of a line in a here-document": (
        "RUN <<EOF\na && rm /x\nb\nEOF\n",
        "RUN <<EOF\na\nb\nEOF\n",
    ),
    "last, continued in a here-document": (
        "RUN <<EOF\na \\\n  && rm /x\nb\nEOF\n",
        "RUN <<EOF\na\nb\nEOF\n",
    ),
    "unquoted hash stays": ("RUN a#b && rm /x#y && c\n", "RUN a#b && c\n"),
}


@pytest.mark.parametrize("name", GOES)
def test_a_call_goes(name: str) -> None:
    before, after = (written(text) for text in GOES[name])
    source = Source(before)
    item = next(one for one in read(source).items if one.program == "rm")
    edit = removals([item], source)[0]
    assert edit is not None
    result = apply_edits(before, [edit])
    assert result == after
    programs = [one.program for one in read(source).items if one.program not in ("rm", "true")]
    assert [one.program for one in read(Source(result)).items if one.program != "true"] == programs
    shell_accepts(result)


def shell_accepts(text: str) -> None:
    bash = shutil.which("bash")
    run = next(one for one in parse(Source(text)).instructions if one.keyword == "RUN")
    if bash is None or run.json is not None:
        return
    script = run.heredocs[0].body.text if run.heredocs else run.args.text
    done = subprocess.run([bash, "-n", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


IN_A_ROW = {
    "last, each on a line": ("RUN a \\\n  && rm /x \\\n  && rm /y\n", "RUN a\n"),
    "between": ("RUN a && rm /x && rm /y && b\n", "RUN a && b\n"),
    "first": ("RUN rm /x; rm /y; b\n", "RUN b\n"),
    "with comments": (
        "RUN a \\\n  && rm /x \\\n  # why\n  && rm /y \\\n  && b\n",
        "RUN a \\\n  # why\n  && b\n",
    ),
    "in a here-document": ("RUN <<EOF\na\nrm /x\nrm /y\nEOF\n", "RUN <<EOF\na\nEOF\n"),
    "with a fallback behind": ("RUN a && rm /x && rm /y || true\n", "RUN a || true\n"),
    "with a fallback of its own": ("RUN a; rm /x; rm /y || true; b\n", "RUN a; b\n"),
    "all there is": ("RUN rm /x && rm /y\n", None),
}


@pytest.mark.parametrize("name", IN_A_ROW)
def test_calls_in_a_row_go_in_one_piece(name: str) -> None:
    before, after = IN_A_ROW[name]
    before, after = written(before), written(after) if after else None
    source = Source(before)
    edits = removals([one for one in read(source).items if one.program == "rm"], source)
    assert len(edits) == 1
    assert (apply_edits(before, edits) if edits[0] is not None else None) == after
    if after is not None:
        shell_accepts(after)


STAYS = {
    "all there is": "RUN rm /x\n",
    "all there is, with a mount": "RUN --mount=type=cache,target=/c rm /x\n",
    "a condition": "RUN if rm /x; then a; fi\n",
    "all of a branch": "RUN if c; then rm /x; fi\n",
    "all of a subshell": "RUN (rm /x) && a\n",
    "left of or": "RUN rm /x || a\n",
    "right of or": "RUN a || rm /x\n",
    "right of or, more behind": "RUN a || rm /x && b\n",
    "in a pipe": "RUN yes | rm -i /x && b\n",
    "negated": "RUN a && ! rm /x && b\n",
    "in the background": "RUN a && rm /x & b\n",
    "behind the background": "RUN a & rm /x\n",
    "over the end of a quoted text": "RUN sh -c 'a && rm 'x\n",
    "in a substitution": "RUN a $(rm /x) && b\n",
    "by xargs": "RUN a | xargs rm && b\n",
    "with a text of its own": "RUN <<EOF\na\nrm /x <<Y\nt\nY\nb\nEOF\n",
}


@pytest.mark.parametrize("name", STAYS)
def test_a_call_cannot_go_alone(name: str) -> None:
    source = Source(STAYS[name])
    item = next(one for one in read(source).items if one.program == "rm")
    assert removals([item], source) == [None]


WORDS = {
    "between": ("RUN pip install --no pip\n", "RUN pip install pip\n"),
    "last": ("RUN pip install pip --no\n", "RUN pip install pip\n"),
    "last of several commands": ("RUN pip install pip --no && b\n", "RUN pip install pip && b\n"),
    "in front of a semicolon": ("RUN pip install --no; b\n", "RUN pip install; b\n"),
    "a line of its own": (
        "RUN pip install ~\n    --no ~\n    x\n",
        "RUN pip install ~\n    x\n",
    ),
    "a last line of its own": (
        "RUN pip install ~\n    --no\nUSER u\n",
        "RUN pip install\nUSER u\n",
    ),
    "first of a line": (
        "RUN pip install ~\n    --no x ~\n    y\n",
        "RUN pip install ~\n    x ~\n    y\n",
    ),
    "last of a line": ("RUN pip install --no ~\n    x\n", "RUN pip install ~\n    x\n"),
    "behind a comment": (
        "RUN pip install ~\n    # why\n    --no ~\n    x\n",
        "RUN pip install ~\n    # why\n    x\n",
    ),
    "last, behind a comment": (
        "RUN pip install ~\n    # why\n    --no\nUSER u\n",
        "RUN pip install\n    # why\nUSER u\n",
    ),
    "in a script of its own": ("RUN sh -c 'pip install --no'\n", "RUN sh -c 'pip install'\n"),
    "in a here-document": ("RUN <<E\npip install --no x\nE\n", "RUN <<E\npip install x\nE\n"),
    "two blanks": ("RUN pip install  --no  x\n", "RUN pip install  x\n"),
    "first of a line, more commands": (
        "RUN pip install ~\n    --no && b\n",
        "RUN pip install ~\n    && b\n",
    ),
    "in escaped quotes": (
        'RUN sh -c "pip install \\"--no\\" x"\n',
        'RUN sh -c "pip install x"\n',
    ),
    "in the escaped quotes of an exec form": (
        'RUN ["sh", "-c", "pip install \\"--no\\" x"]\n',
        'RUN ["sh", "-c", "pip install x"]\n',
    ),
    "in quotes": ('RUN pip install "--no" x\n', "RUN pip install x\n"),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_word_goes(name: str) -> None:
    before, after = (written(text) for text in WORDS[name])
    source = Source(before)
    pip = next(one for one in read(source).items if one.program == "pip")
    word = pip.args[pip.texts.index("--no")]
    result = apply_edits(before, [remove_word(word, source)])
    assert result == after
    shell_accepts(result)
