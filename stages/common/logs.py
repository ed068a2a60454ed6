"""Logging: one short line per message on stderr, so that stdout stays free for data."""

from __future__ import annotations

import logging

from stages.common import settings


class WithoutSecrets(logging.Filter):
    """Libraries log the addresses they ask, signatures and all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every message through, without its secrets."""
        record.msg, record.args = settings.without_secrets(record.getMessage()), None
        return True


def configure(name: str) -> logging.Logger:
    """Set up the root logger and return the one called `name`.

    Raises
    ------
    SettingError
        The level in the environment does not exist.
    """
    logging.basicConfig(level=settings.log_level(), format="%(name)s: %(message)s", force=True)
    for handler in logging.getLogger().handlers:
        handler.addFilter(WithoutSecrets())
    for library in ("rasterio", "pyogrio", "matplotlib", "PIL", "alembic", "tensorflow", "absl"):
        logging.getLogger(library).setLevel(logging.WARNING)
    return logging.getLogger(name)
