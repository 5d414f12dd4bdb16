"""Duty: signed intents are filled from the keeper's own account, where that pays.

One fill is made in a pass, the one that gains most: what it leaves of the account is what the next one is judged by.
Nobody need trust the keeper for it, because the contract measures what was signed; and the keeper trusts nobody,
because each fill is simulated before it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_account.signers.local import LocalAccount

from plimsoll.chain.contracts import Contract
from plimsoll.decide.solver import Desk, Fill, SolverRule, solve
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError
from plimsoll.keeper.calls import Question
from plimsoll.keeper.intent_source import IntentSource
from plimsoll.keeper.lookout import Look
from plimsoll.keeper.signed_intents import SignedIntent, read_intents, wish_of
from plimsoll.keeper.solver_calls import fill_call, quote_message
from plimsoll.keeper.view import known_market_of, portfolio_of
from plimsoll.model import Market
from plimsoll.params import Params
from plimsoll.transact.intent import Transaction

#: Intents that one pass is given to solve, a few milliseconds each; the others have their turn in the next passes.
MOST_SOLVED: Final = 50


@dataclass(slots=True)
class Solver:
    """Fills intents for one account.

    Parameters
    ----------
    deployment : Deployment
    account_id : int
        Account on the other side of every fill.
    wallet : LocalAccount
        Signs its quotes.
    rule : SolverRule
    source : IntentSource
    exchange : Contract
        Its ABI decides the fields of a quote.
    """

    deployment: Deployment
    account_id: int
    wallet: LocalAccount
    rule: SolverRule
    source: IntentSource
    exchange: Contract
    _turn: int = 0

    async def fills(self, look: Look) -> tuple[list[Transaction], list[str]]:
        """Return the fill that gains most, and what was met on the way.

        Parameters
        ----------
        look : Look

        Returns
        -------
        fills : list of Transaction
            At most one.
        problems : list of str
            A line for each intent that cannot be judged.

        Raises
        ------
        PlimsollError
            When the document, the market or the keeper's account is not to be had.
        """
        signed, lines = read_intents(await self.source.text(), self.source.name, self.deployment)
        params, market = look.terms.params, known_market_of(look.state, self.deployment)
        due = self._due(signed, look)
        if params is None or market is None or not due:
            return [], list(lines)
        best, problems = await asyncio.to_thread(self._best, due, look, market, params)
        if best is None:
            return [], [*lines, *problems]
        question = Question("Accounts", "transferCountOf", (self.account_id,))
        (answer,) = await look.node.batch([question.request(self.deployment, look.block)])
        intent, fill = best
        quote = quote_message(
            fill, intent, self.account_id, self.wallet.address, int(question.read(answer)), self.deployment
        )
        return [fill_call(intent, quote, self.wallet, self.exchange, self.deployment)], [*lines, *problems]

    def _due(self, signed: Sequence[SignedIntent], look: Look) -> list[SignedIntent]:
        """Return what may be filled now, as many as one pass solves."""
        state = look.state
        live = [
            intent
            for intent in signed
            if intent.digest not in state.intents
            and int(intent.message["expiryTs"]) > look.head.ts
            and intent.account_id in state.accounts
            and intent.account_id not in (self.account_id, *state.auctions)
        ]
        first = self._turn * MOST_SOLVED % max(len(live), 1)
        self._turn += 1
        return [*live[first:], *live[:first]][:MOST_SOLVED]

    def _best(
        self, due: Sequence[SignedIntent], look: Look, market: Market, params: Params
    ) -> tuple[tuple[SignedIntent, Fill] | None, list[str]]:
        """Solve intents, each by itself."""
        own = portfolio_of(look.state, self.account_id, self.deployment)
        desk = Desk(market, own, params, self.rule)
        found: list[tuple[SignedIntent, Fill]] = []
        problems: list[str] = []
        for intent in due:
            try:
                account = portfolio_of(look.state, intent.account_id, self.deployment)
                fill = solve(wish_of(intent, self.deployment), account, desk)
            except PlimsollError as problem:
                problems.append(f"intent {intent.digest}: {problem}")
            else:
                found += [] if fill is None else [(intent, fill)]
        return max(found, key=lambda item: item[1].profit, default=None), problems
