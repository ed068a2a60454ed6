"""Commands of DVC one after the other in one process, until one fails: importing DVC takes longer than most of them.

``python -m versions.tools.dvc_twice '[["commit", "labels"], ["repro", "--dry"]]'``
"""

from __future__ import annotations

import json
import sys

if __name__ == "__main__":
    from dvc.cli import main

    for arguments in json.loads(sys.argv[1]):
        if code := main(arguments):
            raise SystemExit(code)
