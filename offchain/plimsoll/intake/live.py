"""A venue asked live, with a read-only key: signed reads, a few retries, and the same records as from files."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import httpx

from plimsoll.errors import InputError, UnavailableError
from plimsoll.intake.contract import Contract
from plimsoll.intake.gather import Dialect, gather, unpacked_sheets
from plimsoll.intake.records import Form, Record, Sheet, parse_answer
from plimsoll.intake.sign import SIGNERS
from plimsoll.intake.statement import Statement
from plimsoll.intake.venue import Question, Unpacked, Venue, each_with
from plimsoll.market.chain_rows import ChainRows
from plimsoll.market.venues.deribit import CASH, COIN_PAID
from plimsoll.market.venues.patience import ATTEMPTS, BusyError, check_status, patiently

TIMEOUT_SEC: Final = 10.0
CLIENT_STATUS: Final = 400

ROOTS: Final[Mapping[str, str]] = {
    "deribit": "https://www.deribit.com/api/v2",
    "okx": "https://www.okx.com",
    "bybit": "https://api.bybit.com",
    "derive": "https://api.lyra.finance",
}
_OKX_KINDS: Final = ("SWAP", "FUTURES", "OPTION")


@dataclass(slots=True)
class Live:
    """Asks one venue.

    Parameters
    ----------
    venue : Venue
    client : httpx.Client
    root : str
        Address.
    key : mapping of str to str
        Parts of the read-only key.
    sleep : callable
        Waits so many seconds; replaced in tests.
    """

    venue: Venue
    client: httpx.Client
    root: str
    key: Mapping[str, str]
    sleep: Callable[[float], None] = time.sleep
    _sign: Any = field(init=False, default=None)

    def statement(self, underlyings: Sequence[str], dialect: Dialect) -> Statement:
        """Read the account, and the option chains of what it holds.

        Parameters
        ----------
        underlyings : sequence of str
            Whose chains are wanted beside those of what is held.
        dialect : Dialect

        Returns
        -------
        Statement

        Raises
        ------
        UnavailableError
            When the venue cannot be reached, or refuses the key.
        InputError
            When an answer is nothing that is known.
        """
        found = Statement(self.venue.name, ChainRows(self.venue.name))
        sheets: list[Sheet] = []
        for question in ACCOUNT[self.venue.name](self.key):
            sheets += self._ask(found, question, dialect)
        contracts = [c for sheet in sheets for record in sheet.records if (c := self._held(sheet, record)) is not None]
        wanted = {*underlyings, *(contract.underlying for contract in contracts)}
        for question in MARKET[self.venue.name](sorted(wanted), contracts):
            sheets += [self._about(sheet, wanted) for sheet in self._ask(found, question, dialect)]
        return gather(found, self.venue, sheets, dialect)

    def _held(self, sheet: Sheet, record: Record) -> Contract | None:
        """Return the contract of a position; names that are not known are refused when the position is taken."""
        if sheet.form is not Form.POSITIONS:
            return None
        return self.venue.parse(str(record.get("name", "")), str(record.get("category", "")))

    def _about(self, sheet: Sheet, underlyings: set[str]) -> Sheet:
        """Return a sheet without what is of other underlyings: a venue answers about all that it lists."""

        def is_wanted(record: Record) -> bool:
            found = self.venue.parse(str(record.get("name", "")), str(record.get("category", "")))
            return found is None or found.underlying in underlyings

        return replace(sheet, records=tuple(record for record in sheet.records if is_wanted(record)))

    def _ask(self, statement: Statement, question: Question, dialect: Dialect) -> list[Sheet]:
        source = f"{self.venue.name} {question.path}"
        body = parse_answer(self._read(question, source), source)
        try:
            unpacked = self.venue.unpack(body, source)
        except InputError as error:
            raise UnavailableError(error.source, error.message) from None
        lists = tuple(each_with(records, **question.adds) for records in unpacked.lists)
        return unpacked_sheets(statement, Unpacked(lists, unpacked.ts, unpacked.rule), source, dialect)

    def _read(self, question: Question, source: str) -> bytes:
        try:
            return patiently(lambda: self._read_once(question, source), self.sleep)
        except BusyError as error:
            raise UnavailableError(source, f"failed {ATTEMPTS} times: {error}") from None

    def _read_once(self, question: Question, source: str) -> bytes:
        if self._sign is None:
            self._sign = SIGNERS[self.venue.name](self.client, self.root, self.key)
        request = self._sign(question)
        try:
            response = self.client.send(request)
        except httpx.TransportError as error:
            raise BusyError(str(error) or type(error).__name__) from None
        check_status(response.status_code)
        if response.status_code >= CLIENT_STATUS:
            raise UnavailableError(source, f"refused with HTTP status {response.status_code}; is the key right?")
        return response.content


def _deribit_account(key: Mapping[str, str]) -> list[Question]:
    return [
        Question("private/get_positions", {"currency": "any"}, True, {}),
        Question("private/get_account_summaries", {}, True, {}),
    ]


def _deribit_market(names: Sequence[str], contracts: Sequence[Contract]) -> list[Question]:
    """Ask for books by the currency that contracts are paid in: the coin, or USDC for linear ones."""
    held = {contract.underlying for contract in contracts}
    more = {name if name in COIN_PAID else CASH for name in names if name not in held}
    asked = sorted({*more, *(contract.settles for contract in contracts)})
    return [
        Question("public/get_book_summary_by_currency", {"currency": coin, "kind": kind}, False, {})
        for coin in asked
        for kind in ("option", "future")
    ]


def _okx_account(key: Mapping[str, str]) -> list[Question]:
    return [
        Question("/api/v5/account/positions", {}, True, {}),
        Question("/api/v5/account/balance", {}, True, {}),
    ]


def _okx_market(names: Sequence[str], contracts: Sequence[Contract]) -> list[Question]:
    sizes = [Question("/api/v5/public/instruments", {"instType": kind}, False, {}) for kind in _OKX_KINDS[:2]]
    found = [*sizes, Question("/api/v5/market/index-tickers", {"quoteCcy": "USD"}, False, {})]
    for name in names:
        family = {"instFamily": f"{name}-USD"}
        option = {"instType": "OPTION", **family}
        found += [
            Question("/api/v5/public/instruments", option, False, {}),
            Question("/api/v5/public/opt-summary", family, False, {}),
            Question("/api/v5/public/mark-price", option, False, {}),
            Question("/api/v5/market/tickers", option, False, {}),
        ]
    return [*found, Question("/api/v5/public/mark-price", {"instType": "SWAP"}, False, {})]


def _bybit_account(key: Mapping[str, str]) -> list[Question]:
    asked = (
        *({"category": "linear", "settleCoin": coin} for coin in ("USDT", "USDC")),
        {"category": "inverse"},
        {"category": "option"},
    )
    positions = [Question("/v5/position/list", params, True, {"category": params["category"]}) for params in asked]
    return [*positions, Question("/v5/account/wallet-balance", {"accountType": "UNIFIED"}, True, {})]


def _bybit_market(names: Sequence[str], contracts: Sequence[Contract]) -> list[Question]:
    chains = [
        Question("/v5/market/tickers", {"category": "option", "baseCoin": name}, False, {"category": "option"})
        for name in names
    ]
    perps = [
        Question("/v5/market/tickers", {"category": "linear", "symbol": f"{name}USDT"}, False, {"category": "linear"})
        for name in names
    ]
    return [*chains, *perps]


def _derive_account(key: Mapping[str, str]) -> list[Question]:
    return [Question("private/get_subaccount", {"subaccount_id": key["subaccount"]}, True, {})]


def _derive_market(names: Sequence[str], contracts: Sequence[Contract]) -> list[Question]:
    """Ask for the tickers of the expiries that are held: the venue gives one day at a time."""
    dates = sorted({(contract.underlying, contract.expiry_ts) for contract in contracts if contract.expiry_ts})
    chains = [
        Question(
            "public/get_tickers",
            {
                "instrument_type": "option",
                "currency": name,
                "expiry_date": time.strftime("%Y%m%d", time.gmtime(expiry_ts)),
            },
            False,
            {},
        )
        for name, expiry_ts in dates
    ]
    perps = [Question("public/get_tickers", {"instrument_type": "perp", "currency": name}, False, {}) for name in names]
    return [*chains, *perps]


#: Reads of the account, and then of the market, by venue.
ACCOUNT: Final[Mapping[str, Callable[[Mapping[str, str]], list[Question]]]] = {
    "deribit": _deribit_account,
    "okx": _okx_account,
    "bybit": _bybit_account,
    "derive": _derive_account,
}
MARKET: Final[Mapping[str, Callable[[Sequence[str], Sequence[Contract]], list[Question]]]] = {
    "deribit": _deribit_market,
    "okx": _okx_market,
    "bybit": _bybit_market,
    "derive": _derive_market,
}
