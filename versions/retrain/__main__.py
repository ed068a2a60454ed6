"""Run ``python -m versions.retrain``."""

import sys

from versions.retrain.retrain import main

if __name__ == "__main__":
    sys.exit(main())
