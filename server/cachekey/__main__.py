"""Run the command line as ``python -m cachekey``."""

import sys

from cachekey.cli import main

if __name__ == "__main__":
    sys.exit(main())
