"""A strategy vault on the contracts up to the auction, with depositors, a trader key and somebody to trade with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from brownie import accounts

from tests.chain.helpers.orders import FILL_OR_KILL, LIMIT, UNCONDITIONAL, sign_order, sign_quote
from tests.chain.helpers.signed import WAD, market_round, post, surface
from tests.chain.helpers.stack import PERP, SINGLE, Stack, deploy_stack

RAW = 10**6
WAD_PER_RAW = 10**12
VIRTUAL = 10**6
NOBODY = "0x" + "0" * 40
#: How far the clock of a signer may be ahead of the chain's.
AHEAD_SEC = 15
DAY, WEEK = 86_400, 7 * 86_400
PENDING, SETTLED, RETURNED = range(3)
CALL = 1 << 248
#: Everything of the vault may leave in a day; the bucket has tests of its own.
OPEN_DOOR = (10**6, 24 * 10**6)
#: In the order of IStrategyVault.Mandate but for the receiver of the fee.
MODE, KINDS, TERM = SINGLE, 15, DAY
HALF_SPREAD, HALF_VOL = 10**15, 10**16
LOSS_SHARE, STOP_SHARE, FEE = 10**16, 2 * 10**17, 10**17
#: Twice the value in delta, three times in gamma, half of it in vega.
GREEKS = ((1, 2 * WAD, 3 * WAD, WAD // 2),)


def call(expiry_ts: int, strike: int) -> int:
    """Word of a call without a quantity."""
    return CALL | expiry_ts << 200 | strike * 10**8 << 128


class House(SimpleNamespace):
    """The vault and the people around it; amounts are whole units of cash, of the underlying or of shares."""

    # --- people

    def fund(self, who: Any, cash: int) -> None:
        """Give somebody cash and let the vault take it."""
        self.usdc.mint(who, cash * RAW, {"from": who})
        self.usdc.approve(self.strategy, 2**256 - 1, {"from": who})

    def ask_in(self, who: Any, cash: float) -> None:
        """Request a deposit."""
        self.strategy.requestDeposit(round(cash * RAW), who, who, {"from": who})

    def ask_out(self, who: Any, shares: int = 0) -> int:
        """Request a redemption of raw shares, of all when none are named."""
        shares = shares or self.strategy.balanceOf(who)
        self.strategy.requestRedeem(shares, who, who, {"from": who})
        return shares

    def enter(self, who: Any, cash: float) -> int:
        """Request, settle and claim; return the shares."""
        self.ask_in(who, cash)
        self.round()
        self.strategy.settle({"from": self.stranger})
        assets = self.strategy.maxDeposit(who)
        before = self.strategy.balanceOf(who)
        self.strategy.deposit(assets, who, who, {"from": who})
        return self.strategy.balanceOf(who) - before

    def leave(self, who: Any, shares: int = 0) -> int:
        """Request, settle and claim what is paid; return the assets, raw."""
        self.ask_out(who, shares)
        self.round()
        self.strategy.settle({"from": self.stranger})
        return self.claim_out(who)

    def claim_out(self, who: Any) -> int:
        """Claim what is paid of redemptions; return the assets, raw."""
        shares = self.strategy.maxRedeem(who)
        before = self.usdc.balanceOf(who)
        if shares:
            self.strategy.redeem(shares, who, who, {"from": who})
        return self.usdc.balanceOf(who) - before

    # --- market

    def round(self, spot: float | None = None, ts: int = 0, **changed: Any) -> int:
        """Post a round of now, late enough for every request, or of another time; return its time."""
        self.spot = spot or self.spot
        self.stack.chain.sleep(AHEAD_SEC + 2)
        self.stack.chain.mine()
        ts = ts or self.stack.chain[-1].timestamp
        wad = round(self.spot * 10**6) * 10**12
        slices = [surface(self.expiry, forwardWad=wad)] if self.expiry > ts + 3_600 else []
        fields = {"spotWad": wad, "perpWad": wad, "surfaces": slices} | changed
        post(self.stack.oracle, "postRound", market_round(ts, **fields), self.stack.admin)
        prices = {"ts": ts, "tokenIds": [0], "pricesWad": [WAD]}
        post(self.stack.oracle, "postTokenPrices", prices, self.stack.admin)
        return ts

    def settle(self, spot: float | None = None) -> Any:
        """Post a round and settle at it."""
        self.round(spot)
        return self.strategy.settle({"from": self.stranger})

    # --- trading

    def trade(self, quantity: float, price: float, instrument: int = PERP, signer: Any = None) -> None:
        """Fill between the trader key and the friend: the vault buys, or sells a negative quantity."""
        order_wad, price_wad = round(abs(quantity) * 10**6) * 10**12, round(price * 10**6) * 10**12
        is_buy = quantity > 0
        maker = self._order(self.friend_id, self.friend, not is_buy, order_wad, price_wad, instrument, LIMIT)
        key = signer or self.key
        taker = self._order(self.id, key, is_buy, order_wad, price_wad, instrument, FILL_OR_KILL)
        exchange = self.stack.exchange
        maker_signature, taker_signature = sign_order(exchange, self.friend, maker), sign_order(exchange, key, taker)
        exchange.settle(maker, maker_signature, taker, taker_signature, order_wad, {"from": self.stranger})

    def offer(self, legs: list[tuple[int, bool, int, int]]) -> tuple[Any, bytes]:
        """A quote of the friend for the vault's account, its legs as the friend has them."""
        self.nonce += 1
        quote = (self.friend_id, self.id, legs, self.nonce, 2**40 - 1, self.friend.address, 0, 0)
        return quote, sign_quote(self.stack.exchange, self.friend, quote)

    def _order(
        self, account_id: int, signer: Any, is_buy: bool, quantity: int, price: int, instrument: int, kind: int
    ) -> tuple[Any, ...]:
        self.nonce += 1
        tail = (self.nonce, 2**40 - 1, signer.address, kind, False, 0, 0, *UNCONDITIONAL)
        return (account_id, instrument, is_buy, quantity, price, *tail)

    # --- reading

    def value(self) -> SimpleNamespace:
        """What the vault says that it is worth."""
        names = ("value", "cost", "entry", "exit", "free", "ts", "is_sound", "is_flat")
        return SimpleNamespace(**dict(zip(names, self.strategy.valueNow(), strict=True)))

    def epoch(self, epoch_id: int) -> SimpleNamespace:
        """An epoch."""
        names = ("deposit", "minted", "redeem", "left", "paid", "after_ts", "status")
        return SimpleNamespace(**dict(zip(names, self.strategy.epochOf(epoch_id), strict=True)))

    def queue(self) -> SimpleNamespace:
        """Where the epochs stand."""
        names = ("open", "next", "unpaid", "settled_ts")
        return SimpleNamespace(**dict(zip(names, self.strategy.queueNow(), strict=True)))

    def price(self) -> int:
        """Price of a share on the way out, wad."""
        return int(self.strategy.priceNow()[0])

    def mark_price(self) -> float:
        """Value of a share at the mark, where 1 is what it cost at the start."""
        total = self.value().value / WAD_PER_RAW
        return (total + 1) * VIRTUAL / (self.strategy.totalSupply() + VIRTUAL)


def mandate(manager: Any, **changed: Any) -> tuple[Any, ...]:
    """The mandate of the tests, with other terms where they are named."""
    fields = {
        **{"mode": MODE, "kinds": KINDS, "term": TERM, "spread": HALF_SPREAD, "vol": HALF_VOL},
        **{"loss": LOSS_SHARE, "stop": STOP_SHARE, "fee": FEE, "receiver": manager},
    }
    return tuple((fields | changed).values())


def deploy_strategy(stack: Stack, terms: tuple[Any, ...], greeks: Any = GREEKS) -> Any:
    """Deploy a strategy vault on a stack whose vault lists cash."""
    parts = [stack.authority, stack.accounts, stack.vault, stack.engine, stack.oracle, stack.delegation, stack.closer]
    return stack.admin.deploy(
        stack.project.StrategyVault, "Covered calls", "CALLS", [str(part) for part in parts], terms, list(greeks)
    )


def build_house(project: Any, admin: Any, chain: Any, **changed: Any) -> House:
    """Deploy everything; the key may trade, but the vault is empty, so that its limits are 0 until it is renewed."""
    stack = deploy_stack(project, admin, chain)
    usdc = admin.deploy(project.LocalToken, "Mock USD Coin", "USDC", 6)
    stack.vault.listToken(usdc, 10**15, {"from": admin})
    stack.vault.setOutflow(0, *OPEN_DOOR, {"from": admin})
    stack.vault.setAuction(stack.auction, {"from": admin})
    stack.closer = admin.deploy(project.StrategyCloser, stack.accounts, stack.exchange)
    people = dict(zip(("anna", "bert", "carl", "stranger", "manager"), accounts[1:6], strict=True))
    key, friend = accounts.add(), accounts.add()
    strategy = deploy_strategy(stack, mandate(people["manager"], **changed))
    house = House(stack=stack, usdc=usdc, strategy=strategy, key=key, friend=friend, nonce=0, spot=1_900.0, **people)
    house.id = strategy.accountId()
    house.expiry = (chain[-1].timestamp // DAY + 30) * DAY
    for who in (house.anna, house.bert, house.carl, house.stranger):
        house.fund(who, 10_000_000)
    house.fund(friend, 50_000_000)
    usdc.approve(stack.vault, 2**256 - 1, {"from": friend})
    stack.vault.openAndDeposit(SINGLE, usdc, 50_000_000 * RAW, {"from": friend})
    house.friend_id = stack.accounts.nextAccountId() - 1
    house.round()
    strategy.setTrader(key, {"from": admin})
    return house
