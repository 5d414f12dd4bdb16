"""The contracts up to the auction, with the deployer in the place of vault and exchange."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.chain.helpers.books import rows
from tests.chain.helpers.orders import ANY_INSTRUMENT
from tests.chain.helpers.signed import SIGNERS, WAD, market_round, post

PERP = 1 << 248 | 3 << 240
SINGLE, STANDARD, CROSS = 0, 1, 2
FUND = 1
RATE_ROLE = 3
BUFFER, FEE_RATE, DUST = 15 * 10**16, 10**16, 10 * WAD
BONUS_SHARE, FUND_PER_HOUR = 25 * 10**16, 2 * 10**17
#: With the basis of 0.002 a perpetual at 1,900 needs 362.90, and 290.32 to be maintained.
PRICE_RANGE = 189 * 10**15
#: In the order of IScenarioBook.AccountParams.
ACCOUNT = (
    *(8 * 10**17, WAD, 99 * 10**16, 4 * WAD, 55 * 10**16, WAD),
    *(6 * 10**17, 3 * 10**15, 10**17, BUFFER, FEE_RATE, BONUS_SHARE, FUND_PER_HOUR, DUST),
)
#: In the order of IScenarioBook.UnderlyingParams.
UNDERLYING = (
    *(PRICE_RANGE, 5 * 10**17, 25 * 10**16, 4 * 10**17, 3 * 10**15, 5 * 10**16, 2 * 10**15),
    *(7 * 10**17, WAD, 10**16, 10**17, 10**17, 50_000_000 * WAD, 5_000_000 * WAD),
)


def symbol(name: str) -> str:
    """Name of an underlying as the book takes it."""
    return "0x" + name.encode().ljust(32, b"\0").hex()


class Stack(SimpleNamespace):
    """Contracts by role; amounts are whole units of cash or of the underlying."""

    def price(self, spot: int, **changed: Any) -> None:
        """Post a round with spot and perp at ``spot`` and a fresh price of cash."""
        # A round of the same second would be ignored.
        self.chain.sleep(2)
        self.chain.mine()
        ts = self.chain[-1].timestamp
        both = {"spotWad": spot * WAD, "perpWad": spot * WAD}
        post(self.oracle, "postRound", market_round(ts, **(both | changed)), self.admin)
        # The linked token has no price of its own.
        post(self.oracle, "postTokenPrices", {"ts": ts, "tokenIds": [0], "pricesWad": [WAD]}, self.admin)

    def open(self, owner: Any, cash: int = 0, mode: int = SINGLE) -> int:
        """Open an account with cash."""
        account_id = self.accounts.open(owner, mode, {"from": owner}).return_value
        if cash:
            self.accounts.creditToken(account_id, 0, cash * WAD, {"from": self.admin})
        return account_id

    def trade(self, buyer: int, seller: int, quantity: int, price: int, instrument: int = PERP) -> None:
        """Fill without a margin check."""
        self.accounts.applyTrade((buyer, seller, instrument, quantity * WAD, price * WAD), {"from": self.admin})

    def list_second(self, price: int) -> None:
        """List underlying 2 and post a round of it at ``price``."""
        self.book.listUnderlying(symbol("BTC"), UNDERLYING, rows(), {"from": self.admin})
        both = {"spotWad": price * WAD, "perpWad": price * WAD}
        post(self.oracle, "postRound", market_round(self.chain[-1].timestamp, underlyingId=2, **both), self.admin)

    def margin(self, account_id: int) -> SimpleNamespace:
        """Equity, market equity, initial and maintenance of an account."""
        _, equity, market, mark, initial, maintenance, _, _ = self.engine.marginOf(account_id)
        return SimpleNamespace(equity=equity, market=market, mark=mark, initial=initial, maintenance=maintenance)

    def engine_of(self, book: Any) -> Any:
        """Deploy a margin engine of its own for a book that stands in for the live one."""
        project = self.project
        risk = self.admin.deploy(project.RiskEngine, book, self.oracle, self.table)
        parts = (self.accounts, self.oracle, book, risk, self.rates, self.sources, self.guarantees)
        return self.admin.deploy(project.MarginEngine, *parts)

    def cash_sum(self) -> int:
        """Stored cash over all accounts."""
        return sum(self.accounts.storedCashOf(i) for i in range(self.accounts.nextAccountId()))


def deploy_stack(project: Any, admin: Any, chain: Any) -> Stack:
    """Deploy with one underlying and one linked token at a price of 1,900."""
    authority = admin.deploy(project.Authority, admin)
    table = admin.deploy(project.NormalTable)
    book = admin.deploy(project.ScenarioBook, authority, ACCOUNT)
    oracle = admin.deploy(project.Oracle, authority, 7 * 86_400, 10 * WAD, 10 * WAD)
    oracle.setSigners([signer.address for signer in SIGNERS], 2, {"from": admin})
    risk = admin.deploy(project.RiskEngine, book, oracle, table)
    book.listUnderlying(symbol("ETH"), UNDERLYING, rows(), {"from": admin})
    book.setCollateral(1, (True, 1, 2 * 10**17, 2 * 10**16, WAD), {"from": admin})
    ledger = admin.deploy(project.Accounts, authority, admin)
    rates = admin.deploy(project.RateFeed, authority, book)
    sources = admin.deploy(project.SourceBook, authority)
    authority.setTargetFunctionRole(book, [book.signatures["setRatio"]], RATE_ROLE, {"from": admin})
    for holder in (rates, admin):
        authority.grantRole(RATE_ROLE, holder, 0, {"from": admin})
    guarantees = admin.deploy(project.Guarantees, authority, ledger)
    engine = admin.deploy(project.MarginEngine, ledger, oracle, book, risk, rates, sources, guarantees)
    fund = admin.deploy(project.InsuranceFund, authority, ledger, book)
    auction = admin.deploy(project.Auction, authority, ledger, engine, book, fund, guarantees)
    delegation = admin.deploy(project.Delegation, ledger, engine)
    exchange = admin.deploy(project.Exchange, authority, ledger, engine, delegation, oracle)
    exchange.setRules(1, ANY_INSTRUMENT, {"from": admin})
    preview = admin.deploy(project.OrderPreview, ledger, engine, exchange)
    vault = admin.deploy(project.Vault, authority, ledger, engine)
    actions = admin.deploy(project.ActionPreview, ledger, engine, auction, vault)
    intents = admin.deploy(project.Intents, ledger, engine, exchange)
    ledger.setMarginEngine(engine, {"from": admin})
    for module in (admin, fund, auction, exchange, vault, guarantees):
        ledger.setModule(module, True, {"from": admin})
    fund.setAuction(auction, {"from": admin})
    guarantees.connect(engine, auction, {"from": admin})
    stack = Stack(
        project=project,
        **{"admin": admin, "chain": chain, "authority": authority, "book": book, "oracle": oracle, "risk": risk},
        **{"accounts": ledger, "engine": engine, "fund": fund, "auction": auction, "table": table},
        **{"delegation": delegation, "exchange": exchange, "preview": preview, "vault": vault, "actions": actions},
        **{"intents": intents, "rates": rates, "sources": sources, "guarantees": guarantees},
    )
    stack.price(1_900)
    return stack
