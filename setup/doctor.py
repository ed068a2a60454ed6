"""Say what a machine and a site lack, a line each with the fix (`make doctor`).

As a program: ``python -m setup.doctor`` in a site's folder.

Exit code: 0 nothing is missing, 2 something has to be mended first, 3 anything unexpected.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stages.common.run.start import starting

with starting("doctor", __name__, command=True):
    from setup.findings import of_machine, of_site
    from stages.common.run.exit_code import exit_code_of

ROOT = Path(__file__).resolve().parents[1]
NOTHING_MISSING, TO_MEND = 0, 2


def main(site: Path, root: Path = ROOT) -> int:
    """Print the findings; return the exit code."""
    return exit_code_of("doctor", lambda: report(site, root))


def report(site: Path, root: Path) -> int:
    """Print a line for each finding; return 2 where one has to be mended, else 0."""
    findings = [*of_machine(root), *of_site(site)]
    for finding in findings:
        print(finding)
    faults = sum(finding.state == "fix" for finding in findings)
    print(f"\n{faults} to mend" if faults else "\nnothing is missing")
    return TO_MEND if faults else NOTHING_MISSING


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
