"""Prices of a venue as the rows of a chain file: several answers joined by name, premiums in coin."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

import numpy as np

from plimsoll.constants import YEAR_SEC
from plimsoll.errors import InputError
from plimsoll.intake.contract import QUOTES, Contract
from plimsoll.intake.positions import Parse, number_of
from plimsoll.intake.records import Sheet
from plimsoll.intake.statement import Statement
from plimsoll.market.chain_rows import Row
from plimsoll.mirror.black76 import price_and_delta

MAX_AGE_SEC: Final = 300
"""A price that is older than the newest by more is left out."""
_FIELDS: Final = ("bid", "ask", "mark", "mark_iv", "forward", "index", "delivery", "interest", "volume")

#: Numbers of one instrument, and its time.
Quote = dict[str, Any]


def take_prices(statement: Statement, sheets: Iterable[Sheet], parse: Parse, *, is_percent: bool) -> None:
    """Take perpetuals' marks, indices and the rows of option chains.

    Parameters
    ----------
    statement : Statement
    sheets : iterable of Sheet
        Of prices; records of one name are joined.
    parse : callable
    is_percent : bool
        Whether the venue writes volatility in per cent.

    Raises
    ------
    InputError
        When no time says when the prices were taken.
    """
    quotes = _joined(statement, sheets, parse)
    options: list[tuple[Contract, Quote]] = []
    for contract, quote in quotes.values():
        index = quote.get("index") or quote.get("delivery")
        if index:
            statement.spots.setdefault(contract.underlying, Fraction(index))
        if not contract.kind.has_expiry and quote.get("mark"):
            statement.perps[contract.underlying] = Fraction(quote["mark"])
        if contract.kind.is_option:
            options.append((contract, quote))
    if options:
        _take_options(statement, options, is_percent=is_percent)


def _joined(statement: Statement, sheets: Iterable[Sheet], parse: Parse) -> dict[str, tuple[Contract, Quote]]:
    """Return the numbers of every contract: of one sheet the newest, of several sheets together."""
    found: dict[str, tuple[Contract, Quote]] = {}
    for sheet in sheets:
        for name, contract, quote in _newest(statement, sheet, parse):
            held = found.setdefault(name, (contract, {}))[1]
            ts = max(held.get("ts", 0), quote.get("ts", 0))
            held.update(quote)
            if ts:
                held["ts"] = ts
    return found


def _newest(statement: Statement, sheet: Sheet, parse: Parse) -> Iterable[tuple[str, Contract, Quote]]:
    """Return the newest record of every contract of a sheet; what is there twice at one time is left out once."""
    newest: dict[str, tuple[int, int]] = {}
    for row, record in enumerate(sheet.records):
        name, ts = str(record.get("name", "")), int(record.get("ts", sheet.ts or 0))
        held = newest.get(name)
        if held is not None and held[0] == ts:
            statement.chain.drop(name, "is there twice")
        elif held is None or ts > held[0]:
            newest[name] = ts, row
    for name, (ts, row) in newest.items():
        record = sheet.records[row]
        contract = parse(name, str(record.get("category", "")))
        if contract is None:
            _take_other(statement, sheet, row, name)
            continue
        try:
            numbers = {key: number_of(record, key, sheet.source, row) for key in _FIELDS}
        except InputError as error:
            statement.chain.drop(name, error.message)
            continue
        quote: Quote = {key: float(value) for key, value in numbers.items() if value is not None}
        if "forward_name" in record:
            quote["forward_name"] = record["forward_name"]
        yield name, contract, quote | ({"ts": ts} if ts else {})


def _take_other(statement: Statement, sheet: Sheet, row: int, name: str) -> None:
    """Take the index of a pair like BTC-USD; leave out an option whose name is not known."""
    record = sheet.records[row]
    if "mark_iv" in record:
        statement.chain.drop(name or f"row {row + 1}", "is no option that is known by its name")
        return
    index = number_of(record, "index", sheet.source, row)
    base = name.split("-")[0]
    if index is not None and index > 0 and base != name and base not in QUOTES:
        statement.spots.setdefault(base, index)


def _take_options(statement: Statement, options: list[tuple[Contract, Quote]], *, is_percent: bool) -> None:
    stamps = [quote["ts"] for _, quote in options if "ts" in quote]
    if not stamps and statement.ts is None:
        raise InputError(statement.venue, "no time says when the prices were taken; give it with --at")
    ts = max(stamps) if stamps else int(statement.ts or 0)
    statement.date(ts)
    options = _of_one_currency(statement, options)
    index = _indices(statement, options, ts)
    for contract, quote in options:
        age = ts - quote.get("ts", ts)
        if contract.expiry_ts <= ts:
            continue
        if age > MAX_AGE_SEC:
            statement.chain.drop(contract.name, f"is {age} s older than the newest price, the limit is {MAX_AGE_SEC}")
            continue
        row = _row(contract, quote, ts, index, is_percent=is_percent)
        if isinstance(row, str):
            statement.chain.drop(contract.name, row)
        else:
            statement.chain.add(contract.name, row)
    unit = "per cent" if is_percent else "decimals"
    statement.say(f"volatilities of the chain in {unit}, as {statement.venue} writes them")
    if any(not contract.is_inverse for contract, _ in options):
        statement.say("premiums paid in USD: divided by the forward, which makes them premiums in coin")


def _of_one_currency(statement: Statement, options: list[tuple[Contract, Quote]]) -> list[tuple[Contract, Quote]]:
    """Return the options of every underlying that are paid in one currency: the one with the most of them."""
    counts = Counter((contract.underlying, contract.settles) for contract, _ in options)
    taken: dict[str, str] = {}
    for (name, settles), _ in counts.most_common():
        chosen = taken.setdefault(name, settles)
        if chosen != settles:
            statement.say(f"options of {name} paid in {settles}: left aside, of those paid in {chosen} there are more")
    return [(contract, quote) for contract, quote in options if taken[contract.underlying] == contract.settles]


def _indices(statement: Statement, options: list[tuple[Contract, Quote]], ts: int) -> Mapping[str, float]:
    """Return the index of every underlying: given, else where its forwards lead at the time of the prices."""
    found: dict[str, float] = {}
    for name in sorted({contract.underlying for contract, _ in options}):
        spot = statement.spots.get(name)
        if spot is None:
            own = [(c.expiry_ts - ts, q["forward"]) for c, q in options if c.underlying == name and q.get("forward")]
            carried = _carried(own)
            if carried is None:
                raise InputError(
                    statement.venue, f"{name}: no index among the prices; say it with --price {name}=PRICE"
                )
            spot = Fraction(carried)
            statement.spots[name] = spot
            statement.say(f"index of {name} is not among the prices: its forwards carried back, {carried:,.6g}")
        found[name] = float(spot)
    return found


def _carried(forwards: list[tuple[int, float]]) -> float | None:
    """Return where the forwards of the two nearest expiries lead at no time to expiry."""
    by_expiry: dict[int, list[float]] = {}
    for left_sec, forward in forwards:
        if left_sec > 0 and forward > 0.0:
            by_expiry.setdefault(left_sec, []).append(forward)
    if not by_expiry:
        return None
    near = sorted(by_expiry)[:2]
    logs = [math.log(float(np.median(by_expiry[left]))) for left in near]
    if len(near) == 1:
        return math.exp(logs[0])
    return math.exp(logs[0] - near[0] * (logs[1] - logs[0]) / (near[1] - near[0]))


def _row(contract: Contract, quote: Quote, ts: int, index: Mapping[str, float], *, is_percent: bool) -> Row | str:
    """Return the row of an option, or why there is none."""
    forward, mark, iv = quote.get("forward"), quote.get("mark"), quote.get("mark_iv") or math.nan
    sigma = iv / 100.0 if is_percent else iv
    if not forward or forward <= 0.0:
        return "has no forward"
    scale = 1.0 if contract.is_inverse else 1.0 / forward
    strike = float(contract.strike)
    if mark is None:
        if math.isnan(sigma):
            return "has neither a mark nor a volatility"
        mark = _premium(contract, forward, strike, sigma, ts) / forward / scale
    return {
        "ts": ts,
        "currency": contract.underlying,
        "expiry": contract.expiry_ts,
        "strike": strike,
        "type": contract.kind.ending,
        "bid": _quoted(quote.get("bid"), scale),
        "ask": _quoted(quote.get("ask"), scale),
        "mark": mark * scale,
        "mark_iv": sigma,
        "underlying": forward,
        "underlying_name": str(quote.get("forward_name") or f"{contract.underlying} forward"),
        "index_price": index[contract.underlying],
        "open_interest": quote.get("interest", 0.0),
        "volume_24h": quote.get("volume", 0.0),
    }


def _quoted(price: float | None, scale: float) -> float | None:
    """Return a quote in coin; venues write 0 or nothing for none."""
    return price * scale if price else None


def _premium(contract: Contract, forward: float, strike: float, sigma: float, ts: int) -> float:
    """Undiscounted Black-76 value, USD."""
    std = sigma * math.sqrt((contract.expiry_ts - ts) / YEAR_SEC)
    columns = (np.array([x]) for x in (forward, strike, std, 1.0))
    value, _ = price_and_delta(np.array([contract.kind.is_call]), *columns)
    return float(value[0])
