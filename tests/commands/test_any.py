"""Any RUN is read without an error, and a call taken out leaves all others as they were."""

from __future__ import annotations

from itertools import pairwise

from cachekey.commands.invocation import Invocation, removals
from cachekey.commands.read import Commands, read_commands
from cachekey.syntax.dockerfile.parse import parse
from cachekey.text import Source, apply_edits
from hypothesis import given, settings
from hypothesis import strategies as st


def read_source(source: Source) -> Commands:
    run = next(one for one in parse(source).instructions if one.keyword == "RUN")
    return read_commands(run, shell=None, lookup={"HOME": "/root"}.get, workdir="/app")


PIECES = (
    "pip install x¦rm /x¦cd y¦export A=1¦A=2¦sudo ¦env B=1 ¦time ¦$C¦su u -c ¦sh -c ¦"
    "bash -euc ¦xargs ¦npx ¦uv run ¦python -m ¦. x¦eval ¦unset A¦gosu ¦'a && rm z'¦"
    '"a; rm z"¦"rm $A"¦ && ¦ || ¦; ¦ | ¦ & ¦( ¦ )¦{ ¦; }¦if a; then ¦; fi¦'
    'for i in a b; do ¦; done¦f() { ¦f¦"$@"¦$(rm q)¦`rm q`¦ \\\n    ¦ \\\n  # c\n  ¦'
    " > o¦ 2>&1¦ # c¦é¦[ -f x ]¦! ¦<<E¦\nE\n¦\n¦'¦-u¦-¦-c¦ ¦*¦{}¦true¦rm"
)
ATOMS = PIECES.split("¦")
# Without these, other words may get other values.
CHANGING = {"export", "unset", "cd", ".", "eval", "read", "f"}


@given(st.lists(st.sampled_from(ATOMS), max_size=14).map("".join), st.booleans())
@settings(max_examples=500, deadline=None)
def test_never_raises_and_removes_only_one(text: str, document: bool) -> None:
    body = f"<<EOF\n{text}\nEOF" if document else text
    source = Source(f"FROM x\nRUN {body}\n")
    found = read_source(source)
    for item in found.items:
        for span in (item.span, item.head, *(word.span for word in item.args)):
            assert 0 <= span.start <= span.end <= len(source.text)
        assert_only([item], found, source)
    for one, other in pairwise(found.items):
        assert_only([one, other], found, source)


def assert_only(items: list[Invocation], found: Commands, source: Source) -> None:
    """Assert that what takes some calls out leaves all the others as they are."""
    edits = [edit for edit in removals(items, source) if edit is not None]
    changing = any(item.program in CHANGING for item in items)
    # Two commands that do not follow each other are cut apart, which is another matter.
    if len(edits) != 1 or changing or not found.complete:
        return
    after = read_source(Source(apply_edits(source.text, edits)))
    assert after.complete
    # Wrappers, runners and substitutions of one command go together with it.
    gone = [one for one in found.items if edits[0].span.covers(one.span)]
    left = [one.program for one in found.items if one not in gone]
    assert [one.program for one in after.items] == left
    assert len(removals(items, source)) > 1 or all(item in gone for item in items)
