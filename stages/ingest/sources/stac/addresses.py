"""Which addresses a catalogue may send us to: http and https, and not into this machine's own network."""

from __future__ import annotations

import ipaddress
import socket
import urllib.request
from urllib.parse import urljoin, urlsplit

from stages.common import settings
from stages.common.errors import InputError
from stages.common.run.deadline import within

REDIRECTS_MAX = 5
"""Most redirects that are followed from one address."""


class AddressError(InputError):
    """An address that is not asked."""


def check_address(address: str, *, private: bool) -> None:
    """Refuse an address that is not of the web, or (unless `private`) that lies in a private network.

    A name is resolved, as whoever reads the address will do. Where a proxy reads it, only the proxy can resolve it:
    then the name itself must not be one of this machine.

    Raises
    ------
    AddressError
        Its scheme is another one, or it is loopback, link-local, private or reserved.
    """
    try:
        parts = urlsplit(address)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in ("http", "https") or not host:
        raise _refused(address, "an address that begins with http:// or https://", "another kind of address")
    if private:
        return
    for number in _numbers(scheme, host, port):
        if not _is_public(number):
            raise _refused(address, "an address in the public internet", f"{host}, which is {number}")


def final_address(address: str, *, private: bool) -> str:
    """Return the address that redirects lead to from `address`, each checked before it is asked.

    GDAL follows redirects wherever they lead. An address that does not answer is returned as it is.

    Raises
    ------
    AddressError
        As `check_address`, or there are more than `REDIRECTS_MAX` redirects.
    """
    current = address
    for _ in range(REDIRECTS_MAX + 1):
        check_address(current, private=private)
        target = redirect_of(current)
        if target is None:
            return current
        current = urljoin(current, target)
    raise _refused(address, f"at most {REDIRECTS_MAX} redirects", "more")


def redirect_of(address: str) -> str | None:
    """Return where the server redirects `address` to; None where it answers, or does not answer at all."""
    import requests

    def ask() -> str | None:
        with requests.head(address, allow_redirects=False, timeout=settings.HTTP_TIMEOUT_S) as answer:
            return answer.headers.get("Location") if answer.is_redirect else None

    try:
        return within(settings.HTTP_TIMEOUT_S, ask)
    except (requests.RequestException, TimeoutError, ValueError):
        return None  # whoever reads the address says what is wrong with it


def _numbers(scheme: str, host: str, port: int | None) -> list[str]:
    """Return the IP addresses of a host; none where its name is not known here."""
    if _by_proxy(scheme, host) and not _is_number(host) and host.rstrip(".").lower() != "localhost":
        return []
    try:
        answers = socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return sorted({str(answer[4][0]).partition("%")[0] for answer in answers})


def _by_proxy(scheme: str, host: str) -> bool:
    return scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host)


def _is_number(host: str) -> bool:
    """Whether a host is an IP address, in any spelling: ``127.1`` and ``0x7f000001`` are such as well."""
    return ":" in host or host.replace(".", "").isdecimal() or host.lower().startswith("0x")


def _is_public(number: str) -> bool:
    address = ipaddress.ip_address(number)
    inner = getattr(address, "ipv4_mapped", None) or address
    return bool(inner.is_global and not inner.is_multicast)


def _refused(address: str, expected: str, actual: str) -> AddressError:
    return AddressError(
        "an address of the catalogue is not asked",
        where=address.partition("?")[0][:200],
        expected=expected,
        found=actual,
        fix="check ingest.stac (url, token_url); for a catalogue in your own network set private_addresses: true",
    )
