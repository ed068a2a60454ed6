"""Logging: one short line a message on stderr, so that stdout stays free for data."""

from __future__ import annotations

import logging

from stages.common import settings


class WithoutSecrets(logging.Filter):
    """Libraries log the addresses they ask, signatures and all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every message through, without its secrets."""
        record.msg, record.args = settings.without_secrets(record.getMessage()), None
        return True


def configure(stage: str) -> logging.Logger:
    """Set up the root logger once and return the stage's own."""
    logging.basicConfig(level=settings.get(settings.LOG_LEVEL, "INFO"), format="%(name)s: %(message)s", force=True)
    for handler in logging.getLogger().handlers:
        handler.addFilter(WithoutSecrets())
    for noisy in ("rasterio", "pyogrio", "matplotlib", "PIL", "alembic", "tensorflow", "absl"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return logging.getLogger(stage)
