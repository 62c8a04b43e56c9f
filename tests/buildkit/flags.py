"""Random Dockerfiles of a few mounts, sensible and not, for hypothesis.

Most of what is drawn is nearly right: that is where two readers disagree. Everything is made of
words that occur in real files, of their neighbours, and of what the parsing rules hinge on.
"""

from __future__ import annotations

from hypothesis import strategies as st

PATHS = ("/c/t", "/c/t/", "//c//t", "/c/./t", "/c/x/../t", "/c", "c", "./c", "../c", "c/")
PATHS += ("~/c", "$HOME/c", "${D}", "$D/x", "/$X", "/c$X", "C:\\c", "/c/$Y/", "/c/t$")
ODD_PATHS = ("", ".", "..", "../..", "/", "//", "/.", "/..", "/c/../..", "$N", "$N/", "/c $X")
ODD_PATHS += ("${D",)
TEXTS = ("a", "A", "a/b", "/c/t", "c", "a=b", "", ".", "a:b", "é", "$X", "${X}", "$X$Y")
TEXTS += ("${X:-d}", "${N:-d}", "${N-d}", "${E-d}", "${E:-d}", "${X:+w}", "${E:+w}", "${E+w}")
TEXTS += ("${X:?no}", "${P#*/}", "${P##*/}", "${P%/*}", "${P%%/*}", "${P/a/b}", "${P//a/b}")
TEXTS += ("$", "$X-$Y", "\\$X", "\\\\$X", "'$X'", "a\\b", "a\\\\b", "$1", "$12", "$-", "${C}")
TEXTS += ("$PATH", "$TARGETARCH", "${N:-$X}", "${N:-${X}y}", "${P#a}", "${P%a}", "${P##*b/}")
TEXTS += ("${P/b}", "${P//\\//-}", "${1}")
ODD_TEXTS = ("${N:?no}", "${N?no}", "${X:=d}", "${X", "${}", "$$", "a'b", 'a""b', 'a"b', "a b")
ODD_TEXTS += ("${P#}", "${X?}", "${X:}", "${X-", "${ X}", "${X/}", "${X/a", "\\", "${N:-'a b'}")
ODD_TEXTS += ("${P/*\\//z}",)
NUMBERS = ("0", "1000", "01000", "4294967295", "$U", "${U}", "755", "0755", "1777", "0", "10")
NUMBERS += ("7",)
ODD_NUMBERS = ("4294967296", "-1", "+1", "", "node", "1000:1000", "1_0", "0x10", "$N", " 1")
ODD_NUMBERS += ("0o755", "u=rwx", "0788", "77777777777", "9", "1e3", "٣", "37777777777")
ODD_NUMBERS += ("40000000000",)
BOOLS = ("true", "false", "1", "0", "t", "T", "TRUE", "True", "$B", "F", "f", "False", "FALSE")
ODD_BOOLS = ("tRUE", "yes", "", "no", "on", "2", "$N", " true")
SHARINGS = ("shared", "locked", "private", "LOCKED", "$S", "Shared")
SIZES = ("1g", "10", "1.5GB", "$U", "1 kb", "1KiB")
FROMS = ("seed", "SEED", "scratch", "", "other", "busybox:1", "Other")

GOOD = {
    "id": TEXTS,
    **dict.fromkeys(("target", "dst", "destination"), PATHS),
    **dict.fromkeys(("source", "src"), PATHS + ODD_PATHS),
    "from": FROMS,
    "sharing": SHARINGS,
    **dict.fromkeys(("mode", "uid", "gid"), NUMBERS),
    **dict.fromkeys(("ro", "rw", "readonly", "readwrite"), BOOLS),
    "env": TEXTS,
}
ODD = {
    "type": ("cache", "CACHE", "cach", "", "$T", "${T}", "$N", "volume", "bind", "cache "),
    "id": ODD_TEXTS,
    **dict.fromkeys(("target", "dst", "destination"), ODD_PATHS + TEXTS + ODD_TEXTS),
    **dict.fromkeys(("source", "src"), TEXTS + ODD_TEXTS),
    "from": ("nosuch", "$X", "a$", "${X}", "$", "0", "UPPER/case", "a b", "\\$X"),
    "sharing": ("lock", "exclusive", "", "$N", "$X", "readonly", "shard"),
    **dict.fromkeys(("mode", "uid", "gid"), ODD_NUMBERS),
    **dict.fromkeys(("ro", "rw", "readonly", "readwrite", "required"), ODD_BOOLS),
    "required": BOOLS,
    "size": (*SIZES, "big", "", "-1", "1x"),
}
ODD_NAMES = ("Type", "TARGET", "Id", " id", "targt", "share", "user", "", "$K", "mode ", "idd")
BARE = ("ro", "rw", "readonly", "readwrite", "required", "cache", "", "$X", "bogus", "id", "RO")
TYPES = ("type=cache",) * 12 + ("type=CACHE", "type=$T", "type=bind", "type=tmpfs", "type=secret")
ESCAPES = ("",) * 19 + ("# escape=`\n",)

HEADER = """\
FROM scratch AS seed
RUN echo seed
FROM scratch AS other
ARG P=a/b/a
RUN echo other
FROM scratch
WORKDIR /w/d
ARG X=x E= P=a/b/a C=a,b T=cache U=5 B=true S=locked D=/c/d K=id
ENV Y=y
"""
"""Stages to mount from, and the variables that the words above use; N is set nowhere."""

good_options = st.sampled_from([f"{name}={value}" for name in GOOD for value in GOOD[name]])
odd_options = st.one_of(
    st.sampled_from([f"{name}={value}" for name in ODD for value in ODD[name]]),
    st.sampled_from(BARE),
    st.sampled_from([f"{name}={text}" for name in ODD_NAMES for text in ("a", "/c", "")]),
)
chances = st.sampled_from(range(100))
"""A number below a hundred, each as likely as any other."""

SHAPES = {
    0: '--mount="{value}"',
    1: "--mount='{value}'",
    2: "--mount='{quoted}'",
    3: "--mount={value},",
    4: "--Mount={value}",
    5: "--mount {value}",
    6: "--mount={broken}",
    7: "--mou'nt'={value}",
    8: '--mount="{value}',
    9: "--network=none --mount={value}",
    10: '--mount=\\"{value}\\"',
    11: "--mount={value}\t",
}


@st.composite
def mounts(draw: st.DrawFn) -> str:
    """One --mount flag."""
    fields = draw(st.lists(good_options, min_size=0, max_size=3))
    if draw(chances) < 90:
        fields.insert(0, draw(st.sampled_from(TYPES)))
    if draw(chances) < 70:
        fields.append(f"target={draw(st.sampled_from(PATHS))}")
    if draw(chances) < 30:
        fields.insert(draw(st.integers(0, len(fields))), draw(odd_options))
    fields = draw(st.permutations(fields)) if draw(chances) < 20 else fields
    value = ",".join(fields)
    shape = SHAPES.get(draw(chances), "--mount={value}")
    quoted = ",".join(f'"{field}"' for field in fields)
    return shape.format(value=value, quoted=quoted, broken=value.replace(",", ",\\\n"))


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    """A file with one to three RUNs of one mount each."""
    flags = draw(st.lists(mounts(), min_size=1, max_size=3))
    lines = [f"RUN {flag} echo {number}\n" for number, flag in enumerate(flags)]
    if draw(chances) < 20:
        lines.insert(1, "WORKDIR sub\nARG X=z\nENV Y=$X\n")
    return draw(st.sampled_from(ESCAPES)) + HEADER + "".join(lines)
