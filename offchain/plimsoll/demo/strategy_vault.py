"""A strategy vault on a local chain, from the first deposits to the last redemption: a scene of its own.

Two people ask to enter, a round later they have; the key sells options that expire in a week and hedges them when
delta leaves the band that the optimiser found; the series is settled, the fee is taken above the highest price, and one
of the two leaves. Every step is a transaction of a wallet, and what the vault owes is compared with what it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from eth_account.signers.local import LocalAccount

from plimsoll.analytics.optimise.bands import BandSettings, rebalancing_bands
from plimsoll.chain import anvil
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.constants import DAY_SEC, WAD, YEAR_SEC
from plimsoll.decide.strategy import Cycle, Strategy, hedge_change, opening_trades
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook
from plimsoll.demo.strategy_story import StrategyRound, StrategyStory
from plimsoll.demo.world import Holder, World, build_world
from plimsoll.deployment.spec import Spec, spec_for_market
from plimsoll.deployment.strategy_spec import GreekShareSpec, StrategySpec
from plimsoll.mirror import black76, svi
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Svi, Token
from plimsoll.params import Params
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.units import float_to_raw, wad_to_float

STRATEGIES: Final = {strategy.value: strategy for strategy in Strategy}
SYMBOL: Final = "ETH"
SPOT, RATE, IMPLIED = 2_000.0, 0.04, 0.65
#: Days of the options that are sold, and hours between rounds.
TENOR_DAYS, STEP_HOURS = 7, 4
SAMPLE_SEC, WINDOW_SEC = 300, 1_800
#: From a request to the next round: more than the clock of a signer may be ahead.
ROUND_SEC: Final = 60
#: What the two bring, and the other side of every trade.
DEPOSITS: Final = {"first depositor": 600_000.0, "second depositor": 400_000.0}
MAKER_CASH: Final = 20_000_000.0
#: What the maker keeps of every trade: a fraction of a linear price, volatilities of an option.
HALF_SPREAD, HALF_VOL = 0.0002, 0.005
#: Value of the underlying of what is sold, over that of the vault; calls are struck this far above spot.
COVER, CALL_ABOVE = 0.5, 1.05
#: Between two accounts as the vault rounds them, raw units.
DUST_RAW: Final = 100
CASH_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """What is played; ``realised`` is the volatility of the prices that are drawn, a year's."""

    strategy: Strategy = Strategy.SHORT_VOL
    rounds: int = TENOR_DAYS * 24 // STEP_HOURS
    realised: float = 0.45
    seed: int = 7


@dataclass(slots=True)
class Stage:
    """The chain, the vault and the people around it."""

    world: World
    settings: SceneSettings
    poster: RoundPoster
    keeper: LocalAccount
    start_ts: int
    expiry_ts: int
    maker: Holder
    key: Holder
    people: dict[str, LocalAccount]
    market: Market
    spot: float = SPOT
    band: float = 0.0
    premium: float = 0.0
    hedges: int = 0
    hedged: float = 0.0
    history: list[StrategyRound] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def vault(self) -> Contract:
        """The strategy vault."""
        return self.world.contract("StrategyVault")

    def value(self) -> Any:
        """Ask the vault what it is worth."""
        return self.vault.call("valueNow")

    def exit_value(self) -> float:
        """Return what all shares are worth to who leaves, cash."""
        return int(self.value().exitRaw) / 10**CASH_DECIMALS

    def delta(self) -> float:
        """Return delta of the account as the margin engine has it, units."""
        snapshot = self.world.contract("Accounts").call("snapshotOf", self.key.account_id)
        _, details = self.world.contract("MarginEngine").call("evaluateDetailed", vars(snapshot))
        return sum(wad_to_float(detail.deltaWad) for detail in details)

    def post(self, spot: float) -> None:
        """Post a round of now at a spot; surfaces keep the implied volatility."""
        self.spot = spot
        self.market = _market(self.world.client.block_ts(), spot, self.expiry_ts)
        self.poster.send(self.keeper, self.poster.round_call(self.market.rounds[SYMBOL]))
        self.poster.send(self.keeper, self.poster.tokens_call(self.market.ts, own_prices(self.market)))

    def trade(self, position: Position) -> float:
        """Trade with the maker at the mark and its half spread; return the price."""
        price = _price(self.market, position)
        self.world.trade(self.key, self.maker, PlannedTrade(position, price))
        return price

    def settle(self) -> None:
        """Post a round, which is signed after every request, and settle at it."""
        self.world.set_time(self.world.client.block_ts() + ROUND_SEC)
        self.post(self.spot)
        receipt = self.vault.send(self.keeper, "settle")
        self.world.gas.note("strategy settle", receipt.gas_used)
        self.check("settle")

    def check(self, step: str) -> None:
        """Compare what the vault owes with what it has."""
        token = self.world.deployment.token_contract(self.world.client, "USDC")
        owed, shares = int(self.vault.call("idleRaw")), 0
        for person in (*self.people.values(),):
            entry, exit_ = self.vault.call("requestsOf", person.address)
            owed += entry.pendingRaw + exit_.claimRaw
            shares += entry.claimShares + exit_.shares - exit_.seenShares
        has = int(token.call("balanceOf", self.vault.address))
        held = int(self.vault.call("balanceOf", self.vault.address))
        if not 0 <= has - owed <= DUST_RAW:
            self.problems.append(f"{step}: owes {owed} raw and has {has}")
        if not 0 <= held - shares <= DUST_RAW:
            self.problems.append(f"{step}: owes {shares} shares and has {held}")

    def note(self) -> None:
        """Remember how things stand."""
        price, _, _ = self.vault.call("priceNow")
        self.history.append(
            StrategyRound(self.market.ts, self.spot, self.exit_value(), wad_to_float(price), self.delta())
        )


def play_strategy(start_ts: int, settings: SceneSettings = SceneSettings()) -> StrategyStory:
    """Play the scene.

    Parameters
    ----------
    start_ts : int
        Time of the chain, unix seconds.
    settings : SceneSettings
        What is played.

    Returns
    -------
    StrategyStory
        What happened, in numbers; its problems are empty when the vault could pay everybody after every step.

    Raises
    ------
    UnavailableError
        When anvil or the built contracts are missing.
    """
    with anvil.running(start_ts) as chain:
        return _play(build_stage(Client(chain.url), start_ts, settings))


def _svi(years: float) -> Svi:
    """Return a smile whose volatility at the money is the implied one, at any time to expiry."""
    total = IMPLIED**2 * years
    return Svi(0.98 * total, 0.2 * total, -0.2, 0.0, 0.1)


def _market(ts: int, spot: float, expiry_ts: int) -> Market:
    """One underlying; the series that is sold, as long as it has an hour to go, and one of the next month."""
    surfaces = []
    for expiry in (expiry_ts, expiry_ts + 30 * DAY_SEC):
        years = (expiry - ts) / YEAR_SEC
        if expiry - ts > WINDOW_SEC:
            surfaces.append(Surface(expiry, spot * float(np.exp(RATE * years)), RATE, _svi(years)))
    found = Round(SYMBOL, ts, spot, spot, 1.0, tuple(surfaces))
    return Market(ts, {"USDC": Token("USDC", 1.0, 0.0)}, {SYMBOL: found})


def _price(market: Market, position: Position) -> float:
    """Return what the maker asks or bids for a trade of the vault."""
    side = 1.0 if position.quantity > 0.0 else -1.0
    if not position.kind.is_option:
        return round(market.rounds[SYMBOL].spot * (1.0 + side * HALF_SPREAD), 4)
    surface = market.rounds[SYMBOL].surface(position.expiry_ts)
    years = (surface.expiry_ts - market.ts) / YEAR_SEC
    sigma = float(svi.volatility(surface.svi, np.array(np.log(position.price / surface.forward)), years))
    price, _ = black76.price_and_delta(
        np.array(position.kind.is_call),
        np.array(surface.forward),
        np.array(position.price),
        np.array((sigma + side * HALF_VOL) * np.sqrt(years)),
        np.array(np.exp(-surface.rate * years)),
    )
    return round(float(price), 4)


def _spec(market: Market, receiver: str) -> Spec:
    """Configure a vault whose key may hold twice its value in delta, and which stops a fifth below its peak."""
    limits = (GreekShareSpec(SYMBOL, 2.0, 10.0, 1.0),)
    mandate = StrategySpec(
        name="Weekly options",
        symbol="WEEKLY",
        mode=Mode.SINGLE.name,
        kinds=sum(1 << kind for kind in Kind),
        term_sec=DAY_SEC,
        half_spread=0.0002,
        half_vol=0.005,
        loss_share=0.01,
        stop_share=0.2,
        fee=0.1,
        limits=limits,
        fee_receiver=receiver,
    )
    spec = spec_for_market(market, Params(), ())
    tokens = tuple(replace(token, outflow_share=1.0) for token in spec.tokens)
    return replace(spec, tokens=tokens, strategy=mandate)


def build_stage(client: Client, start_ts: int, settings: SceneSettings) -> Stage:
    """Deploy everything, open the maker's account, give the people cash for gas and name the key.

    Parameters
    ----------
    client : Client
        Endpoint of a fresh local chain.
    start_ts : int
        Its time, unix seconds.
    settings : SceneSettings
        What is played.

    Returns
    -------
    Stage
        A vault that nobody has entered.
    """
    expiry_ts = start_ts + TENOR_DAYS * DAY_SEC
    market = _market(start_ts, SPOT, expiry_ts)
    manager = anvil.wallet("manager")
    world = build_world(client, _spec(market, manager.address), GasBook())
    poster = RoundPoster(client, world.deployment, list(world.signers))
    keeper, key = world.funded_wallet("keeper of the vault"), world.funded_wallet("trader key")
    maker = world.open("market maker", Mode.SINGLE, MAKER_CASH, by_permit=False)
    vault = world.contract("StrategyVault")
    people = {name: world.funded_wallet(name) for name in DEPOSITS}
    people["manager"] = manager
    holder = Holder("trader key", key, Mode.SINGLE, int(vault.call("accountId")))
    stage = Stage(world, settings, poster, keeper, start_ts, expiry_ts, maker, holder, people, market)
    stage.post(SPOT)
    vault.send(world.governor, "setTrader", key.address)
    return stage


def _play(stage: Stage) -> StrategyStory:
    """Enter, trade a cycle, settle the series, take the fee, leave."""
    shares = _enter(stage)
    stage.vault.send(stage.keeper, "renew")
    _open(stage)
    for spot in _path(stage.settings):
        _live_through(stage, spot)
    _expire(stage)
    paid = _leave(stage, "first depositor", shares["first depositor"])
    fee_shares = int(stage.vault.call("balanceOf", stage.people["manager"].address))
    price, high, _ = stage.vault.call("priceNow")
    return StrategyStory(
        strategy=stage.settings.strategy.value,
        deposited=sum(DEPOSITS.values()),
        premium=stage.premium,
        band=stage.band,
        hedges=stage.hedges,
        hedged=stage.hedged,
        history=tuple(stage.history),
        price=wad_to_float(price),
        high=wad_to_float(high),
        fee=int(stage.vault.call("convertToAssets", fee_shares)) / 10**CASH_DECIMALS,
        left_with=paid,
        left_by=DEPOSITS["first depositor"],
        stays=stage.exit_value(),
        settle_gas=max(stage.world.gas.used["strategy settle"]),
        problems=tuple(stage.problems),
    )


def _enter(stage: Stage) -> dict[str, int]:
    """Two people ask, a round later they have their shares."""
    token = stage.world.deployment.token_contract(stage.world.client, "USDC")
    for name, cash in DEPOSITS.items():
        person, raw = stage.people[name], float_to_raw(cash, CASH_DECIMALS)
        token.send(person, "mint", person.address, raw)
        token.send(person, "approve", stage.vault.address, raw)
        stage.vault.send(person, "requestDeposit", raw, person.address, person.address)
        stage.check("request")
    stage.settle()
    shares = {}
    for name, cash in DEPOSITS.items():
        person, raw = stage.people[name], float_to_raw(cash, CASH_DECIMALS)
        stage.vault.send(person, "deposit(uint256,address,address)", raw, person.address, person.address)
        shares[name] = int(stage.vault.call("balanceOf", person.address))
    stage.check("claim")
    return shares


def _open(stage: Stage) -> None:
    """Sell the options of the cycle; the band of their hedge is that of the optimiser."""
    strategy = stage.settings.strategy
    strike = round(SPOT * (CALL_ABOVE if strategy is Strategy.COVERED_CALL else 1.0), 2)
    cycle = Cycle(SYMBOL, stage.expiry_ts, strike, COVER)
    trades = opening_trades(strategy, cycle, stage.exit_value(), stage.spot)
    for trade in trades:
        price = stage.trade(trade)
        if trade.kind.is_option:
            stage.premium -= price * trade.quantity
    if strategy is Strategy.SHORT_VOL:
        settings = BandSettings(IMPLIED, TENOR_DAYS, 24 // STEP_HOURS, slippage=HALF_SPREAD, paths=256)
        _, best = rebalancing_bands(stage.market, Portfolio(Mode.SINGLE, 0.0, {}, trades), SYMBOL, settings)
        stage.band = best.width
    stage.note()


def _path(settings: SceneSettings) -> list[float]:
    """Spots of the rounds to come, drawn once."""
    steps = np.random.default_rng(settings.seed).standard_normal(settings.rounds)
    years = STEP_HOURS * 3_600 / YEAR_SEC
    moves = settings.realised * np.sqrt(years) * steps - 0.5 * settings.realised**2 * years
    return [round(float(spot), 2) for spot in SPOT * np.exp(np.cumsum(moves))]


def _live_through(stage: Stage, spot: float) -> None:
    """Post the round, renew the grant, and hedge where delta has left its band."""
    world = stage.world
    next_ts = stage.history[-1].ts + STEP_HOURS * 3_600
    if next_ts >= stage.expiry_ts - WINDOW_SEC:
        return
    world.set_time(next_ts)
    stage.post(spot)
    stage.vault.send(stage.keeper, "renew")
    if stage.settings.strategy is Strategy.SHORT_VOL:
        change = round(hedge_change(stage.delta(), stage.band), 6)
        if change:
            stage.trade(Position(SYMBOL, Kind.PERP, 0, stage.spot, change))
            stage.hedges += 1
            stage.hedged += abs(change) * stage.spot
    stage.note()


def _expire(stage: Stage) -> None:
    """Settle the series at the mean of its last half hour, and close the hedge."""
    world, expiry_ts = stage.world, stage.expiry_ts
    world.set_time(expiry_ts + 1)
    samples = [(expiry_ts - SAMPLE_SEC * n, stage.spot) for n in reversed(range(WINDOW_SEC // SAMPLE_SEC))]
    stage.poster.send(stage.keeper, stage.poster.settlement_call(SYMBOL, expiry_ts, samples))
    ids = [stage.key.account_id, stage.maker.account_id]
    world.contract("Settlement").send(stage.keeper, "settle", world.deployment.underlyings[SYMBOL], expiry_ts, ids)
    stage.post(stage.spot)
    stage.vault.send(stage.keeper, "renew")
    rest = round(-stage.delta(), 12)
    if abs(rest) > 1.0 / WAD:
        stage.trade(Position(SYMBOL, Kind.PERP, 0, stage.spot, rest))
    stage.note()


def _leave(stage: Stage, name: str, shares: int) -> float:
    """Ask to leave, settle at the next round, claim; return the cash."""
    person = stage.people[name]
    stage.vault.send(person, "requestRedeem", shares, person.address, person.address)
    stage.check("redemption")
    stage.settle()
    claimable = int(stage.vault.call("maxRedeem", person.address))
    token = stage.world.deployment.token_contract(stage.world.client, "USDC")
    before = int(token.call("balanceOf", person.address))
    stage.vault.send(person, "redeem", claimable, person.address, person.address)
    stage.check("paid")
    return (int(token.call("balanceOf", person.address)) - before) / 10**CASH_DECIMALS
