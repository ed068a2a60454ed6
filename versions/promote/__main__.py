"""Run ``python -m versions.promote``."""

import sys

from stages.common.run.start import starting

with starting("promote", __name__, command=True):
    from versions.promote.promote import main

if __name__ == "__main__":
    sys.exit(main())
