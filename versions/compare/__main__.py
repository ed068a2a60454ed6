"""Run ``python -m versions.compare``."""

import sys

from versions.compare.compare import main

if __name__ == "__main__":
    sys.exit(main())
