"""`python -m sac train|evaluate|plot|export|doctor|configs`."""

import sys

from sac.cli import main

if __name__ == "__main__":
    sys.exit(main())
