"""`python -m sac train|sweep|evaluate|plot|export|doctor|configs`."""

import sys

from sac.cli import main

if __name__ == "__main__":
    sys.exit(main())
