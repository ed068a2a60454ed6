"""Tokens that sign the addresses of a catalogue's files, and addresses without them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from functools import partial
from http.client import HTTPException

from stages.common import settings
from stages.common.errors import InputError
from stages.common.run.deadline import within
from stages.ingest.sources.stac.addresses import final_address
from stages.ingest.sources.stac.retries import RETRY_STATUS, TransientError, with_retries

TOKEN_BYTES_MAX = 2**16
"""Largest answer with a token; a token has some hundred letters."""


def request_token(url: str, *, private: bool = False) -> str:
    """Request a token that signs addresses for a limited time, repeatedly where the server fails.

    Parameters
    ----------
    private
        Whether the server may lie in a private network.

    Raises
    ------
    InputError
        The server gives none, or its address is not one that is asked.
    """
    address = final_address(url, private=private)
    return with_retries(partial(_request_token_once, address), partial(_no_token, url))


def _request_token_once(url: str) -> str:
    try:
        return within(settings.HTTP_TIMEOUT_S, partial(_read_token, url))
    except urllib.error.HTTPError as error:
        error.close()
        reason = settings.without_secrets(str(error))
        if error.code in RETRY_STATUS:
            raise TransientError(reason) from None
        raise _no_token(url, reason) from error
    except (OSError, HTTPException) as error:  # no connection, a timeout, or an answer that breaks off
        raise TransientError(settings.without_secrets(str(error) or type(error).__name__)) from None
    except (ValueError, KeyError, TypeError) as error:
        raise _no_token(url, settings.without_secrets(str(error))) from error


def _read_token(url: str) -> str:
    with urllib.request.urlopen(url, timeout=settings.HTTP_TIMEOUT_S) as answer:
        return str(json.loads(answer.read(TOKEN_BYTES_MAX))["token"])


def _no_token(url: str, reason: str, attempts: int = 1) -> InputError:
    return InputError(
        "the catalogue gives no token for its files",
        where=without_query(url),
        expected='{"token": …}',
        found=f"{reason} (attempts: {attempts})",
        fix="check the network and ingest.stac.token_url; try again later",
    )


def without_query(href: str) -> str:
    """Return an address without its query, which may hold a signature."""
    return href.partition("?")[0]
