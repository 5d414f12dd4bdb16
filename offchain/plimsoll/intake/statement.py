"""What a venue says of an account and its market, before anything is converted."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from plimsoll.errors import InputError
from plimsoll.intake.contract import Contract
from plimsoll.market.chain_rows import ChainRows

#: Currencies that are counted as cash.
CASH: Final = ("USDC", "USD")


@dataclass(frozen=True, slots=True)
class Holding:
    """One position as the venue counts it.

    Attributes
    ----------
    contract : Contract
    size : Fraction
        Coins, bought is positive; of an inverse future or perpetual USD.
    entry : Fraction or None
        Mean price paid; ``None`` for an option where the venue gives none.
    mark : Fraction or None
        The venue's price: of an option in the currency it settles in.
    source : str
        File, for errors.
    """

    contract: Contract
    size: Fraction
    entry: Fraction | None
    mark: Fraction | None
    source: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What is held of one currency.

    Attributes
    ----------
    amount : Fraction
        Units of the currency.
    counts_positions : bool
        Whether open profit and the value of options are part of the amount (equity), or not (cash alone).
    price : Fraction or None
        USD of one unit, where the venue says it.
    """

    amount: Fraction
    counts_positions: bool
    price: Fraction | None = None


@dataclass(slots=True)
class Statement:
    """All that was read: positions, balances, prices and the rows of option chains.

    Attributes
    ----------
    venue : str
    holdings : list of Holding
    balances : dict of str to Balance
        By currency.
    spots, perps : dict of str to Fraction
        USD, by underlying: the index, and the mark of a perpetual.
    chain : ChainRows
        Rows of option chains, of any underlyings.
    said : list of str
        How things were read, one sentence each, in order.
    ts : int or None
        Latest time that an answer names, unix seconds.
    """

    venue: str
    chain: ChainRows
    holdings: list[Holding] = field(default_factory=list)
    balances: dict[str, Balance] = field(default_factory=dict)
    spots: dict[str, Fraction] = field(default_factory=dict)
    perps: dict[str, Fraction] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    ts: int | None = None

    def say(self, sentence: str) -> None:
        """Note how something was read, once."""
        if sentence not in self.said:
            self.said.append(sentence)

    def date(self, ts: int | None) -> None:
        """Note the time of an answer."""
        if ts is not None:
            self.ts = ts if self.ts is None else max(self.ts, ts)

    def hold(self, holding: Holding) -> None:
        """Take a position.

        Parameters
        ----------
        holding : Holding

        Raises
        ------
        InputError
            When a future or perpetual has no price paid, without which its profit is not known.
        """
        contract = holding.contract
        if contract.kind.is_linear and (holding.entry is None or holding.entry <= 0):
            raise InputError(holding.source, f"{contract.name}: has no mean price paid above 0")
        self.holdings.append(holding)

    def bank(self, currency: str, balance: Balance, source: str) -> None:
        """Take a balance.

        Parameters
        ----------
        currency : str
        balance : Balance
        source : str
            File, for errors.

        Raises
        ------
        InputError
            When there is a balance of that currency already.
        """
        if currency in self.balances:
            raise InputError(source, f"there are two balances of {currency}; give one account at a time")
        self.balances[currency] = balance
