"""Documents of `track`."""

from __future__ import annotations

from stages.common.tables.base import Record


class Tracked(Record):
    """artifacts/track/state.json."""

    state_md5: str
