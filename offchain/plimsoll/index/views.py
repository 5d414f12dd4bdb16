"""What the chain's own views say of everything that is no account, and how the state is put right by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from plimsoll.chain.abi import decode_values, encode_values, load_artifact
from plimsoll.constants import DAY_SEC
from plimsoll.index.funding import LIFE_SEC
from plimsoll.index.interest import Lending, accrual
from plimsoll.index.state import FundingState, State
from plimsoll.index.touches import Entry


@dataclass(frozen=True, slots=True)
class View:
    """One view and what it should return.

    Parameters
    ----------
    subject : str
        Name of the thing, for people.
    contract, function : str
        What is called.
    arguments : tuple
        With what.
    entry : tuple[str, Hashable]
        Section and key of the state.
    names : tuple[str, ...]
        Fields that are compared.
    ours : tuple
        What the state says.
    fields : Callable
        What is compared of the decoded result.
    value : Callable
        The entry as it should be, from the decoded result.
    """

    subject: str
    contract: str
    function: str
    arguments: tuple[Any, ...]
    entry: Entry
    names: tuple[str, ...]
    ours: tuple[Any, ...]
    fields: Callable[[Any], tuple[Any, ...]]
    value: Callable[[Any], Any]

    @property
    def data(self) -> str:
        """Call data, hexadecimal."""
        function = load_artifact(self.contract).functions[self.function]
        return "0x" + (function.selector + encode_values(function.inputs, self.arguments)).hex()

    def decode(self, data: bytes) -> Any:
        """Decode what the view returned.

        Parameters
        ----------
        data : bytes
            Return data.

        Returns
        -------
        Any
            See ``decode_values``.
        """
        return decode_values(load_artifact(self.contract).functions[self.function].outputs, data)


def _itself(found: Any) -> Any:
    return found


def views_of(state: State, underlyings: Iterable[int], tokens: Iterable[int]) -> Iterator[View]:
    """Yield the views of a state.

    Parameters
    ----------
    state : State
        At the block that the views are called at.
    underlyings, tokens : Iterable[int]
        Ids that exist whether or not any event of them was seen; those that the state knows come on top.

    Yields
    ------
    View
        Totals of lending first, then everything by its key.
    """
    yield _lending(state)
    numbers = sorted({*underlyings, *state.funding, *state.rounds})
    for number in numbers:
        yield _funding(state, number)
    for number in numbers:
        posted = state.rounds.get(number)
        ours = (0, 0) if posted is None else (posted.spotWad, posted.ts)
        yield View(
            *(f"round of underlying {number}", "Oracle", "lastSpotOf", (number,), ("rounds", number)),
            *(("spotWad", "ts"), ours, _itself, _itself),
        )
    for token_id in sorted({*tokens, *state.token_prices}):
        ts, price_wad = state.token_prices.get(token_id, (0, 0))
        yield View(
            *(f"price of token {token_id}", "Oracle", "lastTokenPriceOf", (token_id,), ("token_prices", token_id)),
            *(("priceWad", "ts"), (price_wad, ts), _itself, lambda found: (found[1], found[0])),
        )
    for series, price_wad in sorted(state.settled.items()):
        subject = f"settlement of underlying {series[0]} at {series[1]}"
        yield View(
            *(subject, "Oracle", "settlementPriceOf", series, ("settled", series)),
            *(("priceWad",), (price_wad,), lambda found: (found,), _itself),
        )


def _lending(state: State) -> View:
    """Return the view of debt and its index."""
    moved = accrual(state.lending, state.ts)
    kept = state.lending

    def fields(found: Any) -> tuple[Any, ...]:
        loan, curve = found
        return loan.debtWad, loan.indexWad, loan.rateE6, curve.reserveBps

    def value(found: Any) -> Lending:
        loan, curve = found
        positive_wad = kept.positive_wad + moved.interest_wad - moved.reserve_wad
        indices = moved.cash_index_wad, loan.indexWad
        return Lending(*indices, loan.debtWad, positive_wad, loan.rateE6, state.ts, curve.reserveBps)

    names = ("debtWad", "indexWad", "rateE6", "reserveBps")
    ours = (kept.debt_wad + moved.interest_wad, moved.debt_index_wad, kept.rate_e6, kept.reserve_bps)
    return View("lending", "Accounts", "lendingOf", (), ("lending", None), names, ours, fields, value)


def _funding(state: State, number: int) -> View:
    """Return the view of the funding of one underlying."""
    known = state.funding.get(number, FundingState(0, 0, 0))

    def value(found: Any) -> FundingState:
        index_wad, rate_wad, since_ts = found
        # The index as it was when the rate was set, so that it comes to the same now and ends at the same time.
        step_wad = abs(rate_wad) * min(state.ts - since_ts, LIFE_SEC) // DAY_SEC
        return FundingState(index_wad - (step_wad if rate_wad >= 0 else -step_wad), rate_wad, since_ts)

    return View(
        *(f"funding of underlying {number}", "Accounts", "fundingOf", (number,), ("funding", number)),
        ("indexWad", "rateWad", "sinceTs"),
        (state.funding_index(number), known.rate_wad, known.since_ts),
        _itself,
        value,
    )


def round_of_view(number: int, header: Any, surfaces: Any) -> SimpleNamespace:
    """Return a round as its event has it, from ``Lens.latestRound``.

    Parameters
    ----------
    number : int
        Underlying.
    header : SimpleNamespace
        Of the round.
    surfaces : list
        Of its expiries.

    Returns
    -------
    SimpleNamespace
        Fields of ``IOracle.Round``.
    """
    return SimpleNamespace(underlyingId=number, **vars(header), surfaces=list(surfaces))
