"""One owner with many accounts and one purse: everything he may legally do, and what he has gained by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_account.signers.local import LocalAccount

from plimsoll.chain.signing import sign
from plimsoll.chain.words import unpack
from plimsoll.model import Kind
from tests.chain.profit.bridge import CLAIM
from tests.chain.profit.loans import LENT, LLTV
from tests.chain.profit.loans import SYMBOL as LOAN
from tests.chain.profit.pool import SYMBOL as LIQUIDITY
from tests.chain.profit.world import (
    BIDDER,
    CROSS,
    FAR,
    FRIEND,
    HOUR,
    MAX_FEE_WAD,
    OWNER,
    SINGLE,
    STANDARD,
    WAD,
    World,
    is_error,
)

WAD_PER_RAW = 10**12
#: More than any play needs; what counts is how much of it is in the wallet afterwards.
PURSE = {"USDC": 10**9 * 10**6, "WETH": 10**6 * WAD, "PLAIN": 10**9 * WAD}
#: Assets of the vault whose shares are collateral; shares are bought with them, at the rate of the moment.
STAKED = 10**6 * WAD
MODES = (SINGLE, STANDARD, CROSS)
#: What the venue lends on a hundred of collateral.
LLTV_E2 = round(LLTV * 100)


class Crowd:
    """The attackers of one episode; methods return whether the contracts let them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.accounts: list[int] = []
        for owner in (OWNER, FRIEND):
            world.client.rpc("anvil_setBalance", owner.address, hex(10**24))
            for symbol, amount in PURSE.items():
                token = world.tokens[symbol]
                world.send(owner, symbol, "mint", owner.address, amount)
                world.send(owner, symbol, "approve", world.deployment.contracts["Vault"], 2**256 - 1)
                assert token is not None
            world.send(owner, "STAKED", "mint", owner.address, STAKED)
            world.send(owner, "STAKED", "approve", world.base.beside["LossyVault"], 2**256 - 1)
            for symbol in ("SHARE", LIQUIDITY, LOAN):
                world.send(owner, symbol, "approve", world.deployment.contracts["Vault"], 2**256 - 1)
            spenders = (world.base.pool.router, world.base.venue.morpho)
            for spender in (*spenders, world.tokens[LIQUIDITY].address, world.tokens[LOAN].address):
                for symbol in ("USDC", "WETH"):
                    world.send(owner, symbol, "approve", spender, 2**256 - 1)
        self.brought = 0.0
        #: Cash that shares of the attackers lost by slashes: theirs to bear, and nobody else's.
        self.slashed = 0.0
        #: What tokens on another chain are worth beyond what was brought there, cash.
        self.abroad = 0.0

    # --- the purse

    def gain(self) -> float:
        """Cash by which the wallets hold more than they began with, tokens at the prices of the moment."""
        world = self.world
        prices = {"USDC": (1.0, 6), "WETH": (world.paths["ETH"].spot, 18), "PLAIN": (world.plain_price or 0.0, 18)}
        total = self.abroad
        pooled = self._pooled()
        for symbol, (price, decimals) in prices.items():
            held = sum(int(world.tokens[symbol].call("balanceOf", owner.address)) for owner in (OWNER, FRIEND))
            total += (held + pooled.get(symbol, 0) - 2 * PURSE[symbol]) / 10**decimals * price
        staked = sum(self._staked(owner.address) - STAKED for owner in (OWNER, FRIEND))
        claims = sum(int(world.tokens[CLAIM].call("balanceOf", owner.address)) for owner in (OWNER, FRIEND))
        return total + (staked + claims) / WAD * world.paths["ETH"].spot + self.slashed + self._lent()

    def _pooled(self) -> dict[str, int]:
        """What liquidity in the wallets pays out now."""
        token, total = self.world.tokens[LIQUIDITY], {"USDC": 0, "WETH": 0}
        order = ("WETH", "USDC") if self.world.base.pool.base_first else ("USDC", "WETH")
        for owner in (OWNER.address, FRIEND.address):
            held = int(token.call("balanceOf", owner))
            if held:
                out = token.call("burn", held, owner, 0, 0, sender=owner)
                for symbol, amount in zip(order, out, strict=True):
                    total[symbol] += int(amount)
        return total

    def _lent(self) -> float:
        """What shares of the loan in the wallets stand for, debt and all, less what the lenders there have lost."""
        world, token = self.world, self.world.tokens[LOAN]
        supply = int(token.call("totalSupply"))
        held = sum(int(token.call("balanceOf", owner.address)) for owner in (OWNER, FRIEND))
        collateral, debt = token.call("amounts")
        net = int(collateral) / WAD * world.paths["ETH"].spot - int(debt) / 10**6
        supplied = int(world.at["Morpho"].call("market", world.base.venue.id)[0])
        lost = max(LENT[True] - supplied / 10**6, 0.0)
        return (net * held / supply if supply else 0.0) - lost

    def build_loan(self, coins: float, share: float) -> None:
        """Bring coins to the loan and borrow a share of what the venue lends on them."""
        world, raw = self.world, round(coins * WAD)
        world.send(OWNER, "Morpho", "supplyCollateral", world.base.venue.params, raw, world.tokens[LOAN].address, b"")
        most = raw * LLTV_E2 // 100 * round(world.paths["ETH"].spot * 10**6) // WAD
        world.send(OWNER, LOAN, "take", 0, 0, round(most * share), OWNER.address)

    def liquidate_loan(self, fraction: float = 1.0) -> bool:
        """Let the friend liquidate the loan at its venue, debt or collateral, whatever is less."""
        world = self.world
        venue, address = world.base.venue, world.tokens[LOAN].address
        _, owed, held = world.at["Morpho"].call("position", venue.id, address)
        shares = round(int(owed) * fraction)
        if shares and world.try_send(FRIEND, "Morpho", "liquidate", venue.params, address, 0, shares, b""):
            return True
        return int(held) > 0 and world.try_send(FRIEND, "Morpho", "liquidate", venue.params, address, held, 0, b"")

    def _staked(self, owner: str) -> int:
        """Assets of the vault that a wallet holds, as such and as shares."""
        shares = int(self.world.tokens["SHARE"].call("balanceOf", owner))
        assets = int(self.world.at["LossyVault"].call("convertToAssets", shares))
        return int(self.world.at["STAKED"].call("balanceOf", owner)) + assets

    def suffer(self, share: float) -> None:
        """Note what a slash of a share of the vault will take from accounts and wallets."""
        token = self.world.deployment.tokens["SHARE"].token_id
        held = sum(int(self.world.tokens["SHARE"].call("balanceOf", owner.address)) for owner in (OWNER, FRIEND))
        for account in self.accounts:
            snapshot = self.world.ask("Accounts", "snapshotOf", account)
            held += dict(zip(snapshot.tokenIds, snapshot.amountsWad, strict=True)).get(token, 0)
        worth = int(self.world.at["LossyVault"].call("convertToAssets", held)) / WAD * self.world.paths["ETH"].spot
        self.slashed += share * worth

    def buy_shares(self, assets: float) -> float:
        """Buy shares of the vault at the rate of the moment; return how many the wallet holds."""
        self.world.send(OWNER, "LossyVault", "deposit", round(assets * WAD), OWNER.address)
        return int(self.world.tokens["SHARE"].call("balanceOf", OWNER.address)) / WAD

    def buy_liquidity(self, units: float) -> float:
        """Provide liquidity for both tokens at the pool's price; return how much the wallet holds."""
        self.world.send(OWNER, LIQUIDITY, "mint", round(units * 10**12), OWNER.address, 2**255, 2**255)
        return int(self.world.tokens[LIQUIDITY].call("balanceOf", OWNER.address)) / 10**12

    def sell_liquidity(self) -> None:
        """Take all liquidity of the wallet out of the pool."""
        held = int(self.world.tokens[LIQUIDITY].call("balanceOf", OWNER.address))
        self.world.send(OWNER, LIQUIDITY, "burn", held, OWNER.address, 0, 0)

    def provide(self, owner: LocalAccount, units: float) -> None:
        """Let somebody honest provide liquidity."""
        for symbol, amount in (("USDC", 10**9 * 10**6), ("WETH", 10**6 * WAD)):
            self.world.send(owner, symbol, "mint", owner.address, amount)
            self.world.send(owner, symbol, "approve", self.world.tokens[LIQUIDITY].address, 2**256 - 1)
        self.world.send(owner, LIQUIDITY, "mint", round(units * 10**12), owner.address, 2**255, 2**255)

    def open(self, cash: float, mode: int = SINGLE) -> int:
        """Open an account and bring cash."""
        account = int(self.world.at["Accounts"].call("nextAccountId"))
        self.world.send(OWNER, "Accounts", "open", OWNER.address, mode)
        self.accounts.append(account)
        if cash > 0:
            self.deposit(account, "USDC", cash)
        return account

    def deposit(self, account: int, symbol: str, amount: float) -> bool:
        """Bring tokens."""
        raw = round(amount * 10 ** self.world.deployment.tokens[symbol].decimals)
        passed = self.world.try_send(OWNER, "Vault", "deposit", account, self.world.tokens[symbol].address, max(raw, 1))
        if passed and symbol == "USDC":
            self.brought += amount
        return passed

    def take(self, account: int) -> None:
        """Withdraw and borrow whatever the account may pay out."""
        world = self.world
        for symbol in (*PURSE, "SHARE", CLAIM, LIQUIDITY, LOAN):
            most = world.ask("ActionPreview", "maxWithdraw", account, world.tokens[symbol].address)
            if not is_error(most) and most:
                self.withdraw_raw(account, symbol, most)
        self.borrow_most(account)

    def withdraw_raw(self, account: int, symbol: str, amount_raw: int) -> bool:
        """Withdraw an amount in raw units."""
        token = self.world.tokens[symbol].address
        return self.world.try_send(OWNER, "Vault", "withdraw", account, token, amount_raw, OWNER.address)

    def borrow_most(self, account: int) -> None:
        """Borrow as much as the excess allows, to a few hundredths: a debt is charged, so all of it is refused."""
        margin = self.margin(account)
        if margin is None:
            return
        held = int(self.world.at["Vault"].call("tokenOf", 0).heldRaw)
        amount = min((margin.equityWad - int(margin.initialWad)) // WAD_PER_RAW, held)
        for _ in range(12):
            if amount <= 0:
                return
            if self.world.try_send(OWNER, "Vault", "borrow", account, amount, OWNER.address):
                return
            amount = amount * 97 // 100

    def cash_out(self) -> float:
        """Close what is open against each other at the mark, take everything, and say what was gained."""
        for account in self.accounts:
            self.take(account)
        for instrument in sorted({word >> 128 << 128 for a in self.accounts for word in self.positions(a)}):
            self._flatten(instrument)
        for account in self.accounts:
            self._close_with_maker(account)
            self.take(account)
        return self.gain()

    def _close_with_maker(self, account: int) -> None:
        """Close what is left with an honest market maker, who takes half a hundredth for it."""
        for word in self.positions(account):
            name, kind, expiry, strike = self._meaning(word)
            held = unpack(word).quantity_wad
            if kind is not Kind.PERP and expiry <= self.world.now:
                continue
            mark = self.world.paths[name].mark(kind, expiry, strike or 1.0, self.world.now)
            price_wad = round(mark * (0.995 if held > 0 else 1.005) * 10**8) * 10**10
            for _ in range(6):
                if self._fill_with_maker(account, word, held, price_wad):
                    break
                held //= 2

    def _fill_with_maker(self, account: int, word: int, held_wad: int, price_wad: int) -> bool:
        world, size = self.world, abs(held_wad)
        if size == 0:
            return False
        option = unpack(word).kind in (Kind.CALL, Kind.PUT)
        instrument = word >> (128 if option else 200) << (128 if option else 200)
        mine = world.signed_order(OWNER, account, instrument, held_wad < 0, size, price_wad)
        theirs = world.signed_order(BIDDER, world.base.bidder, instrument, held_wad > 0, size, price_wad)
        return world.try_send(OWNER, "Exchange", "settle", *theirs, *mine, size)

    def _flatten(self, instrument: int) -> None:
        longs, shorts = [], []
        for account in self.accounts:
            for word in self.positions(account):
                quantity = (word & (2**128 - 1)) - (2**128 if word >> 127 & 1 else 0)
                if word >> 200 == instrument >> 200:
                    (longs if quantity > 0 else shorts).append((account, abs(quantity), word))
        for (long, held, word), (short, owed, _) in zip(longs, shorts, strict=False):
            name, kind, expiry, strike = self._meaning(word)
            if kind in (Kind.CALL, Kind.PUT) and word >> 128 != instrument >> 128:
                continue
            price = self.world.paths[name].mark(kind, expiry, strike or 1.0, self.world.now)
            self.trade(short, long, name, kind, min(held, owed) / WAD, price, expiry, strike)

    def _meaning(self, word: int) -> tuple[str, Kind, int, float]:
        found = unpack(word)
        name = next(n for n, path in self.world.paths.items() if path.underlying_id == found.underlying_id)
        option = found.kind in (Kind.CALL, Kind.PUT)
        return name, found.kind, found.expiry_ts, found.price_e8 / 1e8 if option else 0.0

    # --- reading

    def margin(self, account: int) -> Any | None:
        """Margin now, or None when there is none."""
        answer = self.world.ask("MarginEngine", "marginOf", account)
        return None if is_error(answer) else answer

    def excess(self, account: int) -> float:
        """Cash above the initial requirement; a large loss when there is no margin number."""
        margin = self.margin(account)
        return -1e18 if margin is None else (margin.equityWad - int(margin.initialWad)) / WAD

    def positions(self, account: int) -> list[int]:
        """Position words."""
        snapshot = self.world.ask("Accounts", "snapshotOf", account)
        return [] if is_error(snapshot) else list(snapshot.positions)

    # --- acting

    def trade(
        self,
        buyer: int,
        seller: int,
        name: str,
        kind: Kind,
        quantity: float,
        price: float,
        expiry_ts: int = 0,
        strike: float = 0.0,
    ) -> bool:
        """Fill between two own accounts at any price."""
        world = self.world
        quantity_wad, price_wad = round(quantity * WAD), round(price * 10**8) * 10**10
        if quantity_wad <= 0 or price_wad <= 0:
            return False
        word = world.word(name, kind, expiry_ts, strike)
        buy = world.signed_order(OWNER, buyer, word, True, quantity_wad, price_wad)
        sell = world.signed_order(OWNER, seller, word, False, quantity_wad, price_wad)
        return world.try_send(OWNER, "Exchange", "settle", *buy, *sell, quantity_wad)

    def trade_at_mark(
        self, buyer: int, seller: int, name: str, kind: Kind, quantity: float, expiry_ts: int = 0, strike: float = 0.0
    ) -> bool:
        """The same at the mark of the moment."""
        price = self.world.paths[name].mark(kind, expiry_ts, strike or 1.0, self.world.now)
        return self.trade(buyer, seller, name, kind, quantity, price, expiry_ts, strike)

    def quote(self, maker: int, taker: int, legs: Sequence[tuple[int, bool, int, int]]) -> bool:
        """Fill some legs at once: ``(instrument, maker buys, quantity, price)``, amounts in wad."""
        world = self.world
        world.nonce += 1
        named = [dict(zip(("instrument", "isBuy", "quantityWad", "priceWad"), leg, strict=True)) for leg in legs]
        values = (maker, taker, named, world.nonce, world.now + HOUR, OWNER.address, MAX_FEE_WAD)
        message = world._message(world.quote_types, values, maker)
        signature = sign(OWNER, world.domain, *world.quote_types, message)
        return world.try_send(OWNER, "Exchange", "fillQuote", message, signature, taker, MAX_FEE_WAD)

    def fill_up(
        self,
        buyer: int,
        seller: int,
        name: str,
        kind: Kind,
        expiry_ts: int = 0,
        strike: float = 0.0,
        start: float = 1e6,
    ) -> float:
        """Trade at the mark as much as both margins allow: sizes are halved until one passes; return the size."""
        path = self.world.paths[name]
        quantity = start / path.spot
        total = 0.0
        for _ in range(16):
            if self.trade_at_mark(buyer, seller, name, kind, quantity, expiry_ts, strike):
                total += quantity
            else:
                quantity /= 2
        return total

    def bid(self, account: int, bidder: int, fraction_wad: int = WAD) -> bool:
        """Bid on an account of one's own."""
        quote = self.world.ask("Auction", "previewBid", account, fraction_wad)
        if is_error(quote):
            return False
        limit = FAR if quote.isSolvent else 0
        return self.world.try_send(OWNER, "Auction", "bid", account, bidder, fraction_wad, quote.isSolvent, limit)
