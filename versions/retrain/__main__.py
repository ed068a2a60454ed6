"""Run ``python -m versions.retrain``."""

import sys

from stages.common.run.start import starting

with starting("retrain", __name__, command=True):
    from versions.retrain.retrain import main

if __name__ == "__main__":
    sys.exit(main())
