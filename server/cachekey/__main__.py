"""Run the command line as ``python -m cachekey``."""

import os
import sys

# `-m` puts the working folder in front of everything that is imported, unless it is told not to
# (-P, -I): a workspace's pathspec.py or tomllib.py would run. Our own folder may stay.
_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
    if sys.path and os.path.realpath(sys.path[0] or os.curdir) == os.path.realpath(os.curdir):
        if os.path.realpath(sys.path[0] or os.curdir) != os.path.realpath(_OWN):
            del sys.path[0]

from cachekey.cli import main  # noqa: E402 -- only now it is ours that is imported

if __name__ == "__main__":
    sys.exit(main())
