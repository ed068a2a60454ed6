"""Run ``python -m versions.promote``."""

import sys

from versions.promote.promote import main

if __name__ == "__main__":
    sys.exit(main())
