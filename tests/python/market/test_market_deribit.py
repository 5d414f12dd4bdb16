"""The live loader on answers in the recorded format of Deribit's public API."""

from __future__ import annotations

import math

import httpx
import numpy as np
import pytest

from plimsoll.errors import UnavailableError
from plimsoll.market.chain_file import split_table
from plimsoll.market.fit.bands import coin_price
from plimsoll.market.fit.rounds import fit_snapshot
from plimsoll.market.venues.deribit import Deribit
from plimsoll.market.venues.patience import ATTEMPTS

US_OUT = 1_770_326_977_123_456
EXPIRY_MS = 1_770_969_600_000
NAMES = ("get_instruments", "get_index_price", "ticker", "get_book_summary_by_currency")


def instrument(strike: int, right: str) -> dict:
    return {
        "tick_size": 0.0005,
        "strike": float(strike),
        "settlement_period": "week",
        "option_type": right,
        "kind": "option",
        "is_active": True,
        "instrument_name": f"ETH-13FEB26-{strike}-{right[0].upper()}",
        "expiration_timestamp": EXPIRY_MS,
        "base_currency": "ETH",
        "contract_size": 1.0,
    }


def summary(strike: int, right: str, **changes: object) -> dict:
    return {
        "volume": 12.0,
        "underlying_price": 1_882.54,
        "underlying_index": "ETH-13FEB26",
        "open_interest": 100.5,
        "mark_price": 0.05,
        "mark_iv": 95.5 + abs(strike - 1_880) / 50.0,
        "mid_price": None,
        "low": None,
        "last": 0.05,
        "interest_rate": 0.0,
        "instrument_name": f"ETH-13FEB26-{strike}-{right[0].upper()}",
        "high": None,
        "estimated_delivery_price": 1_881.2,
        "creation_timestamp": 1_770_326_977_000,
        "bid_price": 0.049,
        "ask_price": 0.051,
        "base_currency": "ETH",
        **changes,
    }


STRIKES = range(1_600, 2_200, 50)


def quoted(strike: int, right: str) -> dict:
    """Summary of an option at the venue's volatility, half a per cent of a coin around its value."""
    years = (EXPIRY_MS / 1_000 - US_OUT / 1e6) / 31_536_000
    std = (0.955 + abs(strike - 1_880) / 5_000.0) * math.sqrt(years)
    sides = (np.array([right == "call"]), np.log(np.array([strike / 1_882.54])), np.array([std]))
    mark = float(coin_price(*sides)[0])
    return summary(strike, right, mark_price=mark, bid_price=max(mark - 0.0025, 0.0005), ask_price=mark + 0.0025)


def answers() -> dict[str, object]:
    board = [(k, r) for k in STRIKES for r in ("call", "put")]
    return {
        "get_instruments": [instrument(*i) for i in board],
        "get_index_price": {"index_price": 1_881.2, "estimated_delivery_price": 1_881.2},
        "ticker": {"mark_price": 1_880.4, "index_price": 1_881.2, "instrument_name": "ETH-PERPETUAL"},
        "get_book_summary_by_currency": [quoted(*i) for i in board],
    }


class Venue:
    """Serves prepared answers and keeps what was asked."""

    def __init__(self, results: dict[str, object] | None = None, failures: list[httpx.Response] | None = None) -> None:
        self.results = results or answers()
        self.failures = failures or []
        self.asked: list[httpx.URL] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        if self.failures:
            return self.failures.pop(0)
        result = self.results[request.url.path.rsplit("/", 1)[1]]
        return httpx.Response(
            200, json={"jsonrpc": "2.0", "result": result, "usIn": US_OUT - 9, "usOut": US_OUT, "usDiff": 9}
        )

    def reader(self) -> Deribit:
        return Deribit(httpx.Client(transport=httpx.MockTransport(self)), sleep=self.slept.append)


def test_a_chain_is_fetched_in_four_reads_and_fits():
    venue = Venue()
    live = venue.reader().fetch("ETH")
    assert [u.path.rsplit("/", 1)[1] for u in venue.asked] == list(NAMES)
    assert dict(venue.asked[0].params) == {"currency": "ETH", "kind": "option", "expired": "false"}
    assert venue.asked[1].params["index_name"] == "eth_usd"
    assert live.perp == 1_880.4
    assert live.ts == US_OUT // 1_000_000
    (chain,) = split_table(live.table, "live")
    assert (chain.ts, chain.currency, chain.spot) == (live.ts, "ETH", 1_881.2)
    assert chain.expiries == (EXPIRY_MS // 1_000,)
    assert chain.strikes(chain.expiries[0]) == tuple(float(k) for k in STRIKES)
    at_money = (chain.strike == 1_900.0) & chain.is_call
    assert chain.iv[at_money] == pytest.approx(0.959)
    assert 0.4 < chain.delta[at_money] < 0.55
    # One vol point of a week's option at the money: F*sqrt(T)*phi(0)/100.
    assert chain.vega[at_money] == pytest.approx(
        1_882.54 * np.sqrt((chain.expiries[0] - chain.ts) / 31_536_000) * 0.003989, rel=0.01
    )
    assert len(fit_snapshot(chain).round.surfaces) == 1


def test_odd_rows_are_read_as_the_file_format_says():
    results = answers()
    rows = results["get_book_summary_by_currency"]
    rows[0] |= {"bid_price": None, "ask_price": 0}
    rows[1] |= {"mark_price": None}
    rows[2] |= {"mark_iv": None}
    rows[3] |= {"underlying_index": "index_price", "underlying_price": 1_881.2}
    rows.append(summary(5_000, "call"))  # not listed
    results["get_instruments"][5]["expiration_timestamp"] = 1_770_326_000_000  # expired while we asked
    live = Venue(results).reader().fetch("ETH")
    assert live.table.num_rows == 2 * len(STRIKES) - 2
    (chain,) = split_table(live.table, "live")
    assert np.isnan(chain.bid).sum() == np.isnan(chain.ask).sum() == 1
    assert np.isnan(chain.iv).sum() == 1
    assert chain.is_index.sum() == 1


def test_busy_answers_are_repeated():
    busy = {"error": {"code": 10_028, "message": "too_many_requests"}, "usOut": 1}
    venue = Venue(failures=[httpx.Response(429), httpx.Response(503), httpx.Response(200, json=busy)])
    assert venue.reader().fetch("ETH").table.num_rows == 2 * len(STRIKES)
    assert len(venue.asked) == 3 + len(NAMES)
    assert len(venue.slept) > 3


def test_a_venue_that_stays_busy_is_unavailable():
    venue = Venue(failures=[httpx.Response(503)] * 20)
    with pytest.raises(UnavailableError, match=f"get_instruments failed {ATTEMPTS} times: HTTP status 503"):
        venue.reader().fetch("ETH")
    assert len(venue.asked) == ATTEMPTS


def test_a_venue_out_of_reach_is_unavailable():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    client = httpx.Client(transport=httpx.MockTransport(refuse))
    with pytest.raises(UnavailableError, match="connection refused"):
        Deribit(client, sleep=lambda _: None).fetch("BTC")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.Response(400, json={"error": {"code": 11_050, "message": "bad_request"}}),
        httpx.Response(200, json={"result": []}),
        httpx.Response(200, json=[1]),
    ],
)
def test_an_answer_of_another_kind_is_unavailable(answer):
    with pytest.raises(UnavailableError, match="get_instruments"):
        Venue(failures=[answer]).reader().fetch("ETH")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda row: row.pop("mark_iv"), "lacks or spoils 'mark_iv'"),
        (lambda row: row.update(mark_price=90.0), "mark is 90 coin, above its bound 1.05; price in USD?"),
        (lambda row: row.update(mark_iv=1_200.0), "mark_iv is 1200 %, outside 0 to 1000 %"),
    ],
)
def test_a_spoilt_row_is_dropped_with_its_reason(spoil, reason):
    results = answers()
    spoil(results["get_book_summary_by_currency"][0])
    live = Venue(results).reader().fetch("ETH")
    assert live.table.num_rows == 2 * len(STRIKES) - 1
    assert live.dropped == (("ETH-13FEB26-1600-C", reason),)


def test_one_null_or_linear_row_leaves_the_others_standing():
    results = answers()
    results["get_book_summary_by_currency"][0] |= {"mark_iv": None, "bid_price": None, "volume": None}
    results["get_book_summary_by_currency"][1] |= {"underlying_price": None}
    results["get_instruments"][2] |= {"instrument_type": "linear", "settlement_currency": "USDC"}
    live = Venue(results).reader().fetch("ETH")
    assert live.table.num_rows == 2 * len(STRIKES) - 2
    assert [name for name, _ in live.dropped] == ["ETH-13FEB26-1600-P", "ETH-13FEB26-1650-C"]


def linear_answers() -> dict[str, object]:
    """SOL among other coins that are paid in USDC: the same board, premiums in USD."""
    results = answers()
    for row in results["get_instruments"]:
        row |= {"instrument_name": row["instrument_name"].replace("ETH-", "SOL_USDC-"), "base_currency": "SOL"}
        row |= {"instrument_type": "linear", "settlement_currency": "USDC"}
    for row in results["get_book_summary_by_currency"]:
        row["instrument_name"] = row["instrument_name"].replace("ETH-", "SOL_USDC-")
        row |= {side: row[side] * row["underlying_price"] for side in ("bid_price", "ask_price", "mark_price")}
    other = {"instrument_name": "XRP_USDC-13FEB26-0d65-C", "base_currency": "XRP", "instrument_type": "linear"}
    results["get_instruments"].append(results["get_instruments"][0] | other)
    results["get_book_summary_by_currency"].append(results["get_book_summary_by_currency"][0] | other)
    return results


def test_options_paid_in_usd_are_fetched_as_premiums_in_coin():
    venue = Venue(linear_answers())
    live = venue.reader().fetch("SOL")
    assert [dict(u.params) for u in venue.asked[1:3]] == [
        {"index_name": "sol_usdc"},
        {"instrument_name": "SOL_USDC-PERPETUAL"},
    ]
    assert {u.params.get("currency") for u in venue.asked} == {"USDC", None}
    (chain,), (coin,) = split_table(live.table, "live"), split_table(Venue().reader().fetch("ETH").table, "live")
    assert chain.currency == "SOL"
    assert live.dropped == ()
    for field in ("bid", "ask", "mark", "iv", "strike", "underlying"):
        np.testing.assert_allclose(getattr(chain, field), getattr(coin, field), rtol=1e-12)


@pytest.mark.parametrize(("odd", "is_refused"), [(len(STRIKES), False), (len(STRIKES) + 1, True)])
def test_more_than_half_of_the_rows_wrong_is_unavailable(odd, is_refused):
    """The limit from both sides: of 24 rows 12 may be left out, 13 say that the form is another."""
    results = answers()
    for row in results["get_book_summary_by_currency"][:odd]:
        row["mark_iv"] = 1_200.0
    if not is_refused:
        assert Venue(results).reader().fetch("ETH").table.num_rows == len(STRIKES)
        return
    with pytest.raises(UnavailableError, match="13 of 24 rows are wrong, more than half; the first: ETH-13FEB26"):
        Venue(results).reader().fetch("ETH")


def test_a_row_that_is_there_twice_counts_once():
    results = answers()
    results["get_book_summary_by_currency"].append(results["get_book_summary_by_currency"][0])
    live = Venue(results).reader().fetch("ETH")
    assert live.table.num_rows == 2 * len(STRIKES)
    assert live.dropped == (("ETH-13FEB26-1600-C", "is there twice"),)


def test_a_chain_without_rows_is_unavailable():
    empty = answers() | {"get_book_summary_by_currency": []}
    with pytest.raises(UnavailableError, match="holds no rows"):
        Venue(empty).reader().fetch("ETH")
    without = answers() | {"ticker": {}}
    with pytest.raises(UnavailableError, match="mark_price"):
        Venue(without).reader().fetch("ETH")
