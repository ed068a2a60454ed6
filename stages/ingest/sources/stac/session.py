"""Requests to a catalogue: each address is checked, redirects too, and each answer is bounded in time and size."""

from __future__ import annotations

from typing import Any

from pystac_client.stac_api_io import StacApiIO
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as NoAnswer
from urllib3 import Retry

from stages.common import settings
from stages.common.run.deadline import within
from stages.ingest.sources.stac.addresses import check_address
from stages.ingest.sources.stac.retries import RETRY_STATUS, WAIT_MAX_S, configured_waits

ANSWER_BYTES_MAX = 64 * 2**20
"""Largest answer of a catalogue: a page of 100 items has two megabytes."""

PIECE_BYTES = 2**16


class BoundedAdapter(HTTPAdapter):
    """The way of every request of a session. A redirect is a request of its own, and comes here again."""

    def __init__(self, *, private: bool, retries: Retry) -> None:
        self.private = private
        super().__init__(max_retries=retries)

    def send(self, request: Any, *arguments: Any, **keywords: Any) -> Any:
        """Send a request and read its whole answer.

        Raises
        ------
        AddressError
            The address is not one that is asked.
        requests.exceptions.RequestException
            There is no answer in time, or it is too large.
        """
        check_address(request.url, private=self.private)
        keywords["stream"] = True

        def whole_answer() -> Any:
            answer = super(BoundedAdapter, self).send(request, *arguments, **keywords)
            answer._content, answer._content_consumed = _content(answer), True  # as requests reads it itself
            return answer

        try:
            return within(settings.HTTP_ANSWER_MAX_S, whole_answer)
        except TimeoutError as error:
            raise NoAnswer(str(error)) from error


def _content(answer: Any) -> bytes:
    content = bytearray()
    for piece in answer.iter_content(PIECE_BYTES):
        content += piece
        if len(content) > ANSWER_BYTES_MAX:
            raise NoAnswer(f"an answer of more than {ANSWER_BYTES_MAX} bytes")
    return bytes(content)


def bounded_io(*, private: bool) -> Any:
    """Return what pystac-client asks a catalogue with.

    Raises
    ------
    SettingError
        As `configured_waits`.
    """
    retry = Retry(
        total=len(configured_waits()), backoff_factor=settings.http_retry_wait_s(), status_forcelist=RETRY_STATUS,
        allowed_methods=None, backoff_max=WAIT_MAX_S, retry_after_max=int(WAIT_MAX_S),
    )  # fmt: skip
    io = StacApiIO(timeout=settings.HTTP_TIMEOUT_S)
    for scheme in ("http://", "https://"):
        io.session.mount(scheme, BoundedAdapter(private=private, retries=retry))
    return io
