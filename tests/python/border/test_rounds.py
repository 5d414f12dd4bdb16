"""Signed messages: times are seconds, and a time in milliseconds is told from one before anything is signed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from plimsoll.errors import DomainError
from plimsoll.model import Round, Surface, Svi
from plimsoll.protocol import rounds
from plimsoll.protocol.rounds import RoundPoster

NOW = 1_900_000_000


@pytest.fixture
def poster(monkeypatch):
    """A poster that returns the message in the place of a signed call."""
    oracle = SimpleNamespace(address="0x0", encode=lambda function, message, signatures: message)
    monkeypatch.setattr(rounds, "domain_of", lambda oracle: {})
    monkeypatch.setattr(rounds, "struct_types", lambda oracle, function: ("Round", {}))
    monkeypatch.setattr(rounds, "sign_by_all", lambda *values: [])
    tokens = {"USDC": SimpleNamespace(token_id=0)}
    return RoundPoster(None, SimpleNamespace(contract=lambda c, n: oracle, underlyings={"ETH": 1}, tokens=tokens), [])


def a_round(ts, expiry, mean=None):
    return Round("ETH", ts, 1_900.0, 1_900.0, 1.0, (Surface(expiry, 1_905.0, 0.0, Svi(0.1, 0.0, 0.0, 0.0, 0.1)),), mean)


def test_round_call__mean__is_zero_outside_a_window(poster):
    assert poster.round_call(a_round(NOW, NOW + 86_400))["meanWad"] == 0
    assert poster.round_call(a_round(NOW, NOW + 60, 1_901.0))["meanWad"] == 1_901 * 10**18


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("round", lambda p: p.round_call(a_round(NOW * 1_000, NOW + 60))),
        ("expiry", lambda p: p.round_call(a_round(NOW, NOW * 1_000))),
        ("tokenPrices", lambda p: p.tokens_call(NOW * 1_000, {"USDC": 1.0})),
        ("sample", lambda p: p.settlement_call("ETH", NOW, [(NOW * 1_000, 1_900.0)])),
    ],
)
def test_messages__time_in_milliseconds__is_named(poster, field, call):
    with pytest.raises(DomainError, match="milliseconds") as found:
        call(poster)
    assert field in str(found.value)
