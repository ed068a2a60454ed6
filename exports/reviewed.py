"""The review of a site's maps by a person, where there is one."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any


def read_review(root: Path) -> Any:
    """Return the review of the site in `root`; None where nobody has looked.

    Raises
    ------
    ContractError
        The file breaks its contract.
    """
    if importlib.util.find_spec("review") is None:
        return None
    return importlib.import_module("review.record").read_review(root)
