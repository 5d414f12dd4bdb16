"""Nouns refuse what no contract could hold, whoever builds them."""

from dataclasses import replace
from math import inf, nan

import pytest

from plimsoll.errors import DomainError, InputError
from plimsoll.front.legs import call, expiry_ts_of, future, perp, put
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token

TS, EXPIRY = 1_770_326_940, 1_774_598_400
SVI = Svi(0.02, 0.05, -0.2, 0.0, 0.2)
SURFACE = Surface(EXPIRY, 2_000.0, 0.03, SVI)
ROUND = Round("ETH", TS, 2_000.0, 2_001.0, 1.0, (SURFACE,))
LINKED = Token("WETH", None, 0.2, "ETH", 0.02)
CASH = Token("USDC", 1.0, 0.0)
MARKET = Market(TS, {"USDC": CASH, "WETH": LINKED}, {"ETH": ROUND})
PUT = Position("ETH", Kind.PUT, EXPIRY, 1_800.0, -5.0)
PERP = Position("ETH", Kind.PERP, 0, 2_000.0, 1.0)
FOLIO = Portfolio(Mode.SINGLE, 100.0, {"WETH": 1.0}, (PUT, PERP))

BAD = [
    (SURFACE, {"svi": replace(SVI, **{"a": -0.02})}, "surface of 1774598400: the smallest total variance .* is -0.0"),
    (SURFACE, {"svi": replace(SVI, **{"a": nan})}, "surface of 1774598400: a is nan"),
    (SURFACE, {"svi": replace(SVI, **{"b": -0.01})}, "surface of 1774598400: b is -0.01, outside"),
    (SURFACE, {"svi": replace(SVI, **{"rho": 1.0})}, "surface of 1774598400: rho is 1, outside"),
    (SURFACE, {"svi": replace(SVI, **{"rho": nan})}, "surface of 1774598400: rho is nan"),
    (SURFACE, {"svi": replace(SVI, **{"m": inf})}, "surface of 1774598400: m is inf, outside"),
    (SURFACE, {"svi": replace(SVI, **{"sigma": 0.0})}, "surface of 1774598400: sigma is 0, outside"),
    (SURFACE, {"forward": 0.0}, "surface of 1774598400: forward is 0"),
    (SURFACE, {"forward": nan}, "forward is nan"),
    (SURFACE, {"rate": inf}, "rate is inf"),
    (SURFACE, {"expiry_ts": EXPIRY * 1_000}, r"expiry_ts is 1774598400000 \(milliseconds\?\), no time in unix seconds"),
    (SURFACE, {"expiry_ts": EXPIRY + 0.5}, "no time in unix seconds"),
    (ROUND, {"spot": -1.0}, "round of ETH: spot is -1"),
    (ROUND, {"perp": nan}, "perp is nan"),
    (ROUND, {"confidence": 1.01}, "confidence is 1.01"),
    (ROUND, {"mean": 0.0}, "mean is 0"),
    (ROUND, {"ts": TS * 1_000}, "ts is 1770326940000"),
    (ROUND, {"surfaces": (SURFACE, SURFACE)}, "expiry 1774598400 does not come after 1774598400"),
    (ROUND, {"surfaces": tuple(replace(SURFACE, expiry_ts=EXPIRY + n) for n in range(13))}, "13 expiries, the limit"),
    (CASH, {"price": nan}, "USDC: price is nan"),
    (CASH, {"price": None}, "USDC: has neither a price nor a link"),
    (CASH, {"haircut": 1.5}, "USDC: haircut is 1.5"),
    (LINKED, {"price": 1.0}, "WETH: is linked to ETH and has no price"),
    (LINKED, {"linked_haircut": -0.1}, "linked_haircut is -0.1"),
    (LINKED, {"ratio": 0.0}, "ratio is 0"),
    (MARKET, {"tokens": {"WETH": LINKED}}, "market: has no token 'USDC'"),
    (MARKET, {"rounds": {}}, "token 'WETH' is linked to 'ETH', no underlying of it"),
    (MARKET, {"rounds": {"BTC": ROUND, "ETH": ROUND}}, "the round of 'BTC' calls itself that of 'ETH'"),
    (MARKET, {"tokens": {"USDC": CASH, "USDT": CASH}}, "token 'USDT' calls itself 'USDC'"),
    (MARKET, {"ts": 0}, "market: ts is 0"),
    (PUT, {"quantity": nan}, "ETH put: quantity is nan"),
    (PUT, {"quantity": inf}, "quantity is inf"),
    (PUT, {"price": 0.0}, "ETH put: price is 0"),
    (PUT, {"expiry_ts": 0}, "expiry_ts is 0; it is 0 for a perpetual and for nothing else"),
    (PERP, {"expiry_ts": EXPIRY}, "it is 0 for a perpetual and for nothing else"),
    (PERP, {"price": -1.0}, "ETH perp: price is -1"),
    (PUT, {"kind": 7}, "position in ETH: 7 is no kind of instrument"),
    (FOLIO, {"cash": nan}, "portfolio: cash is nan"),
    (FOLIO, {"collateral": {"WETH": -1.0}}, "the amount of WETH is -1"),
    (FOLIO, {"mode": 7}, "7 is no margin mode"),
    (FOLIO, {"positions": (PUT, replace(PUT, quantity=-100.0))}, "holds the ETH put of 1774598400 at 1800 twice"),
    (FOLIO, {"positions": (PERP, replace(PERP, price=1_500.0))}, "holds the ETH perp of 0 at 0 twice"),
]


@pytest.mark.parametrize(("noun", "change", "message"), BAD)
def test_noun__outside_its_domain__is_refused_by_itself(noun, change, message):
    with pytest.raises(DomainError, match=message):
        replace(noun, **change)


def test_legs__are_the_positions_they_say():
    assert call("ETH", "27MAR26", 2_000, 1) == Position("ETH", Kind.CALL, EXPIRY, 2_000.0, 1.0)
    assert put("ETH", "2026-03-27", 1_800, -5) == PUT
    assert future("ETH", EXPIRY, 2_000, 2) == Position("ETH", Kind.FUTURE, EXPIRY, 2_000.0, 2.0)
    assert perp("ETH", 2_000, 1) == PERP


@pytest.mark.parametrize("expiry", ["27/03/26", "", "MAR26", "2026-13-01"])
def test_expiry__unreadable__is_refused(expiry):
    with pytest.raises(InputError, match=r"expiry: .* is neither a day"):
        expiry_ts_of(expiry)


def test_with__the_same_leg_again__is_added_to():
    found = FOLIO.with_(put("ETH", EXPIRY, 1_800, -3), perp("ETH", 2_300, 2), call("ETH", EXPIRY, 2_500, 1))
    assert found.positions[0].quantity == -8.0
    assert (found.positions[1].quantity, found.positions[1].price) == (3.0, pytest.approx(2_200.0))
    assert len(found.positions) == 3
    assert FOLIO.positions == (PUT, PERP)


def test_with__the_other_direction__is_refused():
    with pytest.raises(DomainError, match="ETH put: is held with -5, 2 would close some of it"):
        FOLIO.with_(put("ETH", EXPIRY, 1_800, 2))


@pytest.mark.parametrize(("kind", "is_option"), [*zip(Kind, [True, True, False, False], strict=True)])
def test_kind__is_an_option_or_linear(kind, is_option):
    assert (kind.is_option, kind.is_linear) == (is_option, not is_option)


def test_identity__of_a_linear_position__leaves_its_entry_out():
    assert PERP.identity == replace(PERP, price=1.0).identity
    assert PUT.identity != replace(PUT, price=1.0).identity
