"""Dockerfiles by hand, and the pieces from which others are put together."""

from __future__ import annotations

from hypothesis import strategies as st

HANDWRITTEN = [
    "FROM a\nRUN a \\\n  b \\\n\n# c\n  d\nCMD x\n",
    "FROM a\nRUN a \\   \n b\n",
    "# syntax=docker/dockerfile:1\n# escape=`\n# check=skip=all\nFROM a\nRUN a `\n b\\\nCMD c\n",
    "FROM a\nRUN <<ONE <<-'TWO' 3<<\"THREE\" cat\n$X\nONE\n\t\tb\n\tTWO\nc\nTHREE\nCMD x\n",
    "FROM a\nCOPY <<a.txt <<b.txt /x/\nA\na.txt\nB\nb.txt\nRUN b\n",
    "FROM a\nENV X=<<EOF\nRUN x\n",
    "FROM a\nCMD <<EOF\nRUN x\n",
    "FROM a\nRUN cat <<<EOF\nCMD x\n",
    'FROM a\nRUN echo "<<EOF"\nCMD x\n',
    'FROM a\nCOPY ["<<E", "/x"]\nCMD x\n',
    "FROM a\nONBUILD RUN <<E\ny\nE\nCMD x\n",
    "FROM a\nONBUILD COPY --from=x a b\n",
    "FROM a\nRUN --mount=type=cache,target=/x \\\n  --network=none -- --flag x\n",
    'FROM a\nRUN --mount=\'type=cache,"id=a b"\',target=/x --a="b c" d --e\n',
    'FROM a\nRUN --a=b\\ c --d=\\"e\\" x\n',
    "FROM a\nRUN '--mount=type=cache' x\n",
    "FROM a\nHEALTHCHECK --interval=5m CMD curl\nHEALTHCHECK NONE\n",
    'FROM a\nCMD ["a", "b\\u00e9\\n"]\nENTRYPOINT [ "x" ]\nSHELL ["s", "-c"]\nCMD []\nCMD [a]\n',
    "\ufeffFROM a\r\nRUN b \\\r\n  c\r\nRUN <<E\r\nx\r\nE\r\n",
    "FROM a\rRUN b\nCMD c",
    "\f\v FROM a\n\tRUN\tb\n",
    "FR\\\nOM a\n\\\nRUN b\n",
    "FROM a\nRUN b \\",
    "FROM a\nRUN b \\\n# c\n\n",
    "FROM a\nRUN b \\\\\nCMD c\n",
    "  # escape=`\nFROM a\nRUN b `\n c\n",
    "# comment\n# escape=`\nFROM a\nRUN b `\nCMD c\n",
    "\n# escape=`\nFROM a\nRUN b `\nCMD c\n",
    "# Escape = `  \nFROM a\nRUN b `\n c\n",
    "FROM a\nRUN echo 😀 --x\nRUN --mount=id=😀 y\nENV é=ü\n",
    "FROM a\nRUN \u2003x\u3000\n\u00a0RUN y\n",
    "FROM a\nONBUILD ONBUILD RUN x\nunknown y\n",
]

ATOMS = ["FROM a", "RUN ", "run", "COPY ", "ADD ", "ONBUILD ", "ENV ", "CMD ", "LABEL ", "NONE"]
ATOMS += [
    "HEALTHCHECK ",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\\\n",
    "\\\n",
    "`\n",
    "\\ \t\n",
    "\\\r\n",
    "\\\\\n",
]
ATOMS += [" ", "  ", "\t", "\f", "\v", "\x1c", "\u2003", "\ufeff", "# c\n", "#", "#!\n", "é", "😀"]
ATOMS += ["<<E", "<<-E", "<<'E'", '<<"E"', "<< E", "<<E<<E", "3<<E", "${X:-<<E }", "<<", "<"]
ATOMS += [
    "E\n",
    "\tE\n",
    "E\r\n",
    "--mount=type=cache",
    "--x",
    "--",
    "'",
    '"',
    "\\",
    "`",
    "a",
    "b=c",
]
ATOMS += ['["a"]', '["a", "b\\n"]', "[", "]", "[1]", "$X", "$", "{", "}", "=", "echo"]
ATOMS += ["# escape=`\n", "# syntax=x\n", "# escape=x\n"]
PIECES = st.lists(st.sampled_from(ATOMS), max_size=16).map("".join)
