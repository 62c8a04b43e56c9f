"""Reading shell text: commands, words, nesting, and what counts as not readable."""

from __future__ import annotations

import pytest
from cachekey.syntax.shell.parse import Command, Script, parse_script
from cachekey.text import Mapped, Source, Span
from hypothesis import given, settings
from hypothesis import strategies as st


def script(text: str) -> Script:
    return parse_script(Mapped.plain(Source(text), Span(0, len(text))))


def shown(command: Command) -> str:
    """Write a command with its connector and nesting: ``&& rm x ?|(`` is conditional, piped, apart."""
    marks = ("?" if command.conditional else "") + ("|" if command.in_pipeline else "")
    marks += "(" if command.in_subshell else ""
    given = [f"{one.name}:={one.value.written}" for one in command.assignments]
    given += [word.written for word in command.words]
    given += [f"{one.descriptor}{one.operator}{one.target.written}" for one in command.redirects]
    connector = command.connector.replace("\n", "NL")
    return " ".join(part for part in (connector, *given, marks) if part)


SCRIPTS = {
    "a && b || c; d & e": ["a", "&& b", "|| c ?", "; d", "& e"],
    "a | b |& c && d": ["a |(", "| b |(", "| c |(", "&& d"],
    "a\nb # c\n# d && e\n\nf": ["a", "NL b", "NL f"],
    "a \\\n && b": ["a", "&& b"],
    "(a; b) && { c; d; }": ["a (", "; b (", "c", "; d"],
    "{ a; b; } | c": ["a |(", "; b |(", "| c |("],
    "if a; then b; elif c; then d; else e; fi; f": ["a", "b ?", "c ?", "d ?", "e ?", "; f"],
    "if ! a; then b; fi": ["a", "b ?"],
    "for x in a b; do c $x; done && d": ["c $x ?", "&& d"],
    "for x in *.txt\ndo c\ndone": ["c ?"],
    "for ((i=0; i<3; i++)); do a; done": ["a ?"],
    "while a; do b; done < f": ["a ?", "b ?"],
    "until a; do b; done": ["a ?", "b ?"],
    "case $x in a|b) c;; (d) e ;& *) f; esac; g": ["c ?", "e ?", "f ?", "; g"],
    'case "$(uname -m)" in\n  x) a ;;\nesac': ["uname -m (", "a ?"],
    "f() { a; }; f x": ["a ?", "; f x"],
    "function f { a; }\nf": ["a ?", "NL f"],
    "f() ( a )\nf": ["a ?(", "NL f"],
    "[ -f x ] && a && b; c": ["[ -f x ]", "&& a ?", "&& b ?", "; c"],
    "[[ -f x && $y =~ ^(a|b)$ ]] && a": ["&& a ?"],
    "(( x > 1 )) && a": ["&& a ?"],
    "test -f x || a": ["test -f x", "|| a ?"],
    "! a && b": ["a", "&& b ?"],
    "a | grep -q x && b": ["a |(", "| grep -q x |(", "&& b ?"],
    "A=1 B='x y' c": ["A:=1 B:='x y' c"],
    "A=1; B=2": ["A:=1", "; B:=2"],
    "A+=1 B[2]=x C=(a b) d": ["A:=1 B:=x C:=(a b) d"],
    "a=b=c d e=f": ["a:=b=c d e=f"],
    "a >x 2>&1 <y >>z &>w 3<>v": ["a >x 2>&1 <y >>z &>w 3<>v"],
    "a>x&&b": ["a >x", "&& b"],
    "echo 2 >x": ["echo 2 >x"],
    ">x a": ["a >x"],
    "a <<<'x y' b": ["a b <<<'x y'"],
    "cat <<E >x && a\nb $c\nE\nd": ["cat <<E >x", "&& a", "NL d"],
    "cat <<-'E'\n\tb\n\tE\nd": ["cat <<-'E'", "NL d"],
    "cat <<A <<B\n1\nA\n2\nB\nd": ["cat <<A <<B", "NL d"],
    "a $(b $(c) | d) e": ["a $(b $(c) | d) e", "b $(c) |(", "c (", "| d |("],
    "a `b c` \"$(d 'e f')\"": ["a `b c` \"$(d 'e f')\"", "b c (", "d 'e f' ("],
    "A=$(b) c": ["A:=$(b) c", "b ("],
    "a <(b) >(c)": ["a <(b) >(c)", "b (", "c ("],
    "a $((1 + (2 * 3))) b": ["a $((1 + (2 * 3))) b"],
    "a ${x:-$(b)} ${y%%'}'*} \"${z:-'}\"": ["a ${x:-$(b)} ${y%%'}'*} \"${z:-'}\"", "b ("],
    "a 'b;c' \"d && e\" f\\;g h\\ i": ["a 'b;c' \"d && e\" f\\;g h\\ i"],
    "a$'b\\'c' d": ["a$'b\\'c' d"],
    "a b#c #d": ["a b#c"],
    "a; # b\nc": ["a", "; c"],
    "echo if then fi": ["echo if then fi"],
    "do_it && done_it": ["do_it", "&& done_it"],
    "a {b,c} {d} { e": ["a {b,c} {d} { e"],
    "find . \\( -name a -o -name b \\) -exec rm {} \\;": [
        "find . \\( -name a -o -name b \\) -exec rm {} \\;"
    ],
    "go list -f '{{.Dir}}'": ["go list -f '{{.Dir}}'"],
    "a &&\n\n  # b\n  c": ["a", "&& c"],
    "a;b;": ["a", "; b"],
    "a\r\nb\r\n": ["a", "NL b"],
    "": [],
    "# nothing": [],
    "set -eux; a | tee b; (cd c && d)": ["set -eux", "; a |(", "| tee b |(", "cd c (", "&& d ("],
}


@pytest.mark.parametrize("text", SCRIPTS)
def test_commands(text: str) -> None:
    read = script(text)
    assert [shown(command) for command in read.commands] == SCRIPTS[text]
    assert (read.complete, read.problem) == (True, None)


UNREADABLE = [
    "a 'b",
    'a "b',
    "a $(b",
    "a `b",
    "a ${b",
    "a $((1",
    "if a; then b",
    "if a; b; fi",
    "for x in a; b; done",
    "while a; b; done",
    "case x in a) b;;",
    "case x of a) b;; esac",
    "(a",
    "{ a;",
    "a )",
    "a;; b",
    "fi",
    "a; done; b",
    "a (b)",
    "a |",
    "a &&",
    "(a || )",
    "[[ a",
    "x=(a b",
    "a >",
    "f()",
    "coproc a",
    "((a; b) ; c)",
    "cat <<E\nx\n",
    "cat <<E\n$(x)\nE\n",
    "a `b \\`c\\``",
    "pip install {{ packages }}",
    "{% if x %}a{% endif %}",
    "a <%= b %>",
    "$(" * 40 + ")" * 40,
    "{ " * 40 + "a; " + "}; " * 40,
    "`" + "$(" * 40 + "`",
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_is_incomplete(text: str) -> None:
    read = script(text)
    assert not read.complete
    assert read.problem


def test_what_follows_something_unreadable_is_read() -> None:
    assert [shown(one) for one in script("a ) b; c").commands] == ["a", "b", "; c"]


WORDS: dict[str, str | None] = {
    "abc": "abc",
    "'a b'": "a b",
    '"a b"': "a b",
    "a'b'\"c\"d": "abcd",
    "a\\ b": "a b",
    '"a\\"b\\$c\\d"': 'a"b$c\\d',
    "a\\\nb": "ab",
    "''": "",
    '""': "",
    "$HOME/x": "/root/x",
    '"${HOME}/x"': "/root/x",
    "${HOME:-y}": "/root",
    "${NOPE:-y}": None,
    "${HOME%/*}": None,
    "${#HOME}": None,
    "$NOPE": None,
    "$EMPTY": None,
    '"$EMPTY"': "",
    "${EMPTY-x}/y": "/y",
    "${EMPTY:-x}/y": None,
    "$SPACED": None,
    '"$SPACED"': "a b",
    "'$HOME'": "$HOME",
    "\\$HOME": "$HOME",
    "$(pwd)": None,
    "`pwd`": None,
    "$((1+1))": None,
    "$1": None,
    '"$@"': None,
    "$": "$",
    "a$": "a$",
    "*.txt": None,
    "'*.txt'": "*.txt",
    "\\*.txt": "*.txt",
    "a?": None,
    "[ab]": None,
    "[": "[",
    "~": "/root",
    "~/x": "/root/x",
    "a~": "a~",
    "'~'": "~",
    "~app/x": None,
    "{a,b}": None,
    "{1..3}": None,
    "{}": "{}",
    "$'ab'": "ab",
    "$'a\\nb'": None,
    '$"a"': None,
    "a#b": "a#b",
    "--x=$HOME": "--x=/root",
    "--x=~/y": "--x=~/y",
    "@scope/name@^1.2": "@scope/name@^1.2",
    "été": "été",
}
VARIABLES = {"HOME": "/root", "EMPTY": "", "SPACED": "a b"}


@pytest.mark.parametrize("text", WORDS)
def test_the_value_of_a_word(text: str) -> None:
    read = script(f"echo {text} end")
    words = read.commands[0].words
    assert [word.written for word in words] == ["echo", text, "end"]
    assert words[1].resolve(VARIABLES.get) == WORDS[text]


def test_without_variables_a_word_with_one_has_no_text() -> None:
    words = script("a $HOME 'b c' *").commands[0].words
    assert [word.text for word in words] == ["a", None, "b c", None]
    assert words[3].pattern == "*"
    assert words[2].raw.text == "'b c'"


def test_an_escaped_line_end_behind_a_word_is_no_part_of_it() -> None:
    words = script("a b\\\n  c\\\nd e\\\n").commands[0].words
    assert [(word.written, word.text) for word in words] == [
        ("a", "a"),
        ("b", "b"),
        ("c\\\nd", "cd"),
        ("e", "e"),
    ]


def test_a_glob_can_be_kept() -> None:
    word = script("rm /var/lib/apt/lists/*").commands[0].words[1]
    assert word.resolve(VARIABLES.get, globs=True) == "/var/lib/apt/lists/*"


def test_assignments() -> None:
    read = script("A=$HOME/x B= C=~/y D=a:~ E+=1 F[1]=2 G=(a) cmd")
    values = {one.name: one.value.resolve(VARIABLES.get) for one in read.commands[0].assignments}
    assert values == {
        "A": "/root/x",
        "B": "",
        "C": "/root/y",
        "D": None,
        "E": "1",
        "F": "2",
        "G": None,
    }
    assert [one.known for one in read.commands[0].assignments] == [True] * 4 + [False] * 3


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("A=b", "A", "b"),
        ("A='b c'", "A", "b c"),
        ("A=b$HOME", "A", "b/root"),
        ("A=", "A", ""),
        ('A="$HOME"', "A", "/root"),
    ],
)
def test_a_word_that_assigns(text: str, name: str, value: str) -> None:
    found = script(f"export {text}").commands[0].words[1].split_assignment()
    assert found is not None
    assert (found[0], found[1].resolve(VARIABLES.get)) == (name, value)


@pytest.mark.parametrize("text", ["'A=b'", "A", "$A=b", "-x=b"])
def test_a_word_that_does_not_assign(text: str) -> None:
    assert script(f"export {text}").commands[0].words[1].split_assignment() is None


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("'a \"b\" $c'", 'a "b" $c'),
        ('"a \\"b\\" $c \\$d"', 'a "b" $c $d'),
        ("a\\ b", "a b"),
        ("'it'\\''s'", "it's"),
        ('"a \\\n b"', "a  b"),
    ],
)
def test_the_text_of_a_quoted_script_knows_its_places(text: str, inner: str) -> None:
    whole = f"sh -c {text}"
    mapped = script(whole).commands[0].words[2].unquoted()
    assert mapped.text == inner
    assert "".join(whole[mapped.offset(at)] for at in range(len(inner))) == inner


def test_the_text_of_a_here_document() -> None:
    redirect = script("cat <<E | sh\na\nb\nE\nc").commands[0].redirects[0]
    assert redirect.body is not None
    assert redirect.body.text == "a\nb\n"
    assert redirect.is_document


def test_spans_stand_on_the_file() -> None:
    text = "RUN a \\\n  # c\n  && b 'x y'  > z\n"
    source = Source(text)
    parts = [Mapped.plain(source, Span(4, 6)), Mapped.plain(source, Span(14, 32))]
    read = parse_script(Mapped.join(parts))
    assert [source.slice(one.span) for one in read.commands] == ["a", "b 'x y'  > z"]
    assert source.slice(read.commands[1].connector_span) == "&&"
    assert source.slice(read.commands[1].words[1].span) == "'x y'"


PIECES = (
    "a¦b¦rm¦if ¦then ¦fi¦else ¦elif ¦for ¦x in ¦do ¦done¦while ¦case ¦esac¦in ¦{ ¦}¦(¦)¦"
    "((¦))¦[[ ¦ ]]¦[ ¦ ]¦function ¦&&¦||¦;¦;;¦&¦|¦\n¦\r\n¦ ¦  ¦\\\n¦\\¦#¦ # c\n¦!¦! ¦'¦\"¦"
    "`¦$¦$(¦${¦$((¦$'¦<¦>¦<<E¦<<-E¦<<<¦E\n¦2>&1¦<(¦~¦*¦A=¦A=(¦+=¦{a,b}¦é¦😀¦\t¦{{¦{%¦\x0b¦"
    "\x00¦\u2028"
)
ATOMS = PIECES.split("¦")


@given(st.lists(st.sampled_from(ATOMS), max_size=30).map("".join))
@settings(max_examples=400, deadline=None)
def test_never_raises_and_keeps_its_places(text: str) -> None:
    read = script(text)
    assert read.complete == (read.problem is None)
    starts = []
    for command in read.commands:
        span = command.span
        assert 0 <= span.start <= span.end <= len(text)
        starts.append(span.start)
        inside = (*command.words, *command.redirects, *command.assignments)
        for part in inside:
            assert span.covers(part.span)
        for word in command.words:
            assert word.written == text[word.span.start : word.span.end]
            word.resolve(VARIABLES.get, globs=True)
            word.unquoted()
            word.split_assignment()
    assert starts == sorted(starts)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_never_raises_on_any_text(text: str) -> None:
    for command in script(text).commands:
        assert 0 <= command.span.start <= command.span.end <= len(text)
