"""Starts the Cachekey server from the libraries beside this file and from nothing else.

The extension runs it with ``-I -S``, so that no site-packages, no user site and no PYTHONPATH of
the user's machine gets in. Kept in syntax that Pythons of long ago parse: they shall say what is
wrong with them instead of failing on a word they do not know.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036
    sys.stderr.write(
        "Cachekey needs Python 3.10 or newer, and this is %d.%d: %s\n"  # noqa: UP031
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )
    sys.exit(3)

import os
import runpy

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(here), "bundled", "libs"))
runpy.run_module("cachekey", run_name="__main__", alter_sys=True)
