"""Run ``python -m versions.compare``."""

import sys

from stages.common.run.start import starting

with starting("compare", __name__, command=True):
    from versions.compare.compare import main

if __name__ == "__main__":
    sys.exit(main())
