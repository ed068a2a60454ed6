"""Answers of a server that gives tokens, without a server."""

from __future__ import annotations

import io
import json
import urllib.error
from email.message import Message
from typing import Any

import pytest

from stages.ingest.sources.stac import signing

TOKEN_URL = "https://example.org/token"


def serve_tokens(monkeypatch: pytest.MonkeyPatch, *answers: Exception | str) -> list[str]:
    """Answer requests for tokens. The last answer is repeated."""
    requests: list[str] = []

    def urlopen(url: str, **_: Any) -> io.BytesIO:
        requests.append(url)
        answer = answers[min(len(requests), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer.encode())

    monkeypatch.setattr(signing.urllib.request, "urlopen", urlopen)
    return requests


def http_error(status: int) -> urllib.error.HTTPError:
    return urllib.error.HTTPError(TOKEN_URL, status, "no", Message(), io.BytesIO())


def token(text: str) -> str:
    return json.dumps({"token": text})
