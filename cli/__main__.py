"""`python -m qiao.cli`: the command, where its script isn't on the path."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
