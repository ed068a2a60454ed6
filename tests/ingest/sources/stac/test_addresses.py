"""Addresses that a catalogue may send us to."""

from __future__ import annotations

import pytest

from stages.ingest.sources.stac import addresses
from stages.ingest.sources.stac.addresses import AddressError, check_address, final_address

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::",
]  # fmt: skip


def resolve(monkeypatch: pytest.MonkeyPatch, **numbers: str) -> None:
    monkeypatch.setattr(addresses, "_numbers", lambda _, host, __: [numbers.get(host.partition(".")[0], host)])


@pytest.mark.parametrize("number", PRIVATE)
def test_a_name_of_a_private_number_is_refused_unless_allowed(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, catalogue=number)
    with pytest.raises(AddressError, match="is not asked"):
        check_address("https://catalogue.example.org/v1", private=False)
    check_address("https://catalogue.example.org/v1", private=True)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://a/b", "/etc/passwd", "http://", "http://[::1", "x:y"])
def test_another_scheme_is_refused_even_where_private_addresses_are_allowed(address: str) -> None:
    with pytest.raises(AddressError, match="is not asked"):
        check_address(address, private=True)


@pytest.mark.parametrize("number", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"])
def test_a_public_number_is_asked(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, catalogue=number)
    check_address("https://catalogue.example.org/v1", private=False)


def redirects(monkeypatch: pytest.MonkeyPatch, targets: dict[str, str]) -> list[str]:
    asked: list[str] = []

    def redirect_of(address: str) -> str | None:
        asked.append(address)
        return targets.get(address)

    monkeypatch.setattr(addresses, "redirect_of", redirect_of)
    return asked


def test_redirects_are_followed_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, a="8.8.8.8", b="9.9.9.9")
    redirects(monkeypatch, {"https://a.org/x": "/y", "https://a.org/y": "http://b.org/z"})
    assert final_address("https://a.org/x", private=False) == "http://b.org/z"


@pytest.mark.parametrize("target", ["http://b.org/", "file:///etc/passwd", "gopher://a.org/"])
def test_a_redirect_into_the_private_network_is_refused_before_it_is_asked(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(monkeypatch, a="8.8.8.8", b="169.254.169.254")
    asked = redirects(monkeypatch, {"https://a.org/x": target})
    with pytest.raises(AddressError):
        final_address("https://a.org/x", private=False)
    assert asked == ["https://a.org/x"]


def test_redirects_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, a="8.8.8.8")
    redirects(monkeypatch, {"https://a.org/x": "/x"})
    with pytest.raises(AddressError, match="is not asked"):
        final_address("https://a.org/x", private=False)


@pytest.mark.parametrize("spelling", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "[::1]", "localhost"])
@pytest.mark.enable_socket
def test_this_machine_is_found_in_every_spelling_behind_a_proxy_too(
    spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://proxy.example.org:3128")
    with pytest.raises(AddressError, match="is not asked"):
        check_address(f"http://{spelling}:8080/", private=False)
