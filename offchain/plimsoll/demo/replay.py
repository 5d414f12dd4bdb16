"""The main job: open the books at the first snapshot, then live through all of them with the keeper."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from plimsoll.analytics.fund.size import fund_size
from plimsoll.analytics.fund.standing import standing_of
from plimsoll.chain import anvil
from plimsoll.chain.client import Client, Receipt
from plimsoll.constants import CLEARING_ID, DAY_SEC, FUND_ID, YEAR_SEC
from plimsoll.decide import (
    Bid,
    BidderRule,
    EndAuction,
    PostRound,
    PostSettlement,
    PostTokenPrices,
    Settle,
    StartAuction,
    TouchAuction,
    UpdateFunding,
    UpdateRate,
    WriteOff,
)
from plimsoll.demo.audit import chain_margins, conservation, index_problems, largest_difference, standard_initials
from plimsoll.demo.books import (
    BACKSTOP,
    BACKSTOP_CASH,
    BORROWED_CASH,
    BORROWER,
    BORROWER_WETH,
    DIP,
    DIP_BUYER,
    DIP_UNDERLYING,
    FUND_CASH,
    ISOLATED,
    LIQUIDATOR,
    LIQUIDATOR_CASH,
    MAKER_CASH,
    MARKET_MAKER,
    resolve,
)
from plimsoll.demo.facts import Side
from plimsoll.demo.keeper.encoder import Encoder
from plimsoll.demo.keeper.feed import ReplayFeed
from plimsoll.demo.keeper.loop import Done, Keeper
from plimsoll.demo.plan import TAKER_FEE_LINEAR, TAKER_FEE_OPTION, Plan, plan_all, plan_book
from plimsoll.demo.result import (
    AccountResult,
    CoverPoint,
    DemoResult,
    Figures,
    GasBook,
    Liquidation,
    MarketPoint,
    PathPoint,
)
from plimsoll.demo.story import SOURCES, facts_of
from plimsoll.demo.two_chains import play_two_chains
from plimsoll.demo.world import Holder, World, build_world
from plimsoll.deployment.spec import load_spec
from plimsoll.errors import UnavailableError
from plimsoll.index.reader import LogReader
from plimsoll.index.store import MEMORY, Store
from plimsoll.index.sync import Index
from plimsoll.keeper.view import market_of, portfolio_of
from plimsoll.market.replay.replay import load_replay
from plimsoll.mirror.margin_engine import MarginResult, evaluate_many
from plimsoll.mirror.svi import total_variance
from plimsoll.model import Market, Mode, Portfolio, Round
from plimsoll.params import Params
from plimsoll.protocol.account import params_of
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.transact import Journal, Policy, Transactor
from plimsoll.units import wad_to_float

LEAD_SEC = 3_600
SIGNING_SEC = 5
AUCTION_STEP_SEC = 300
AUCTION_STEPS = 9
VOL_DAYS = 30

# The liquidator's rule: gas is free here, so only the discount against the risk it takes over counts.
MIN_PROFIT = 2.0
MIN_RETURN = 0.05
CUSHION = 1.2
# The backstop takes over insolvent accounts alone: no solvent auction pays it the whole maintenance margin.
BACKSTOP_RETURN, BACKSTOP_BONUS = 1.0, 0.01
# More than the interest of the seconds between reading a debt and repaying it.
REPAY_SLACK = 0.01

STEP_OF: dict[type, str] = {
    PostRound: "round",
    PostTokenPrices: "tokenPrices",
    PostSettlement: "settlementPrice",
    Settle: "settle",
    UpdateFunding: "funding",
    UpdateRate: "rate",
    StartAuction: "startAuction",
    TouchAuction: "touchAuction",
    Bid: "bid",
    EndAuction: "endAuction",
    WriteOff: "writeOff",
}


@dataclass(slots=True)
class _Run:
    """Everything one run of the demo carries along."""

    world: World
    feed: ReplayFeed
    keeper: Keeper
    backstop: Keeper
    result: DemoResult
    report: Callable[[str, int, int], None]
    params: Params
    names: dict[int, str] = field(default_factory=dict)
    last_state: dict[int, str] = field(default_factory=dict)
    #: Margin of taker and maker round each quote, by block.
    sides: dict[int, tuple[Side, Side]] = field(default_factory=dict)

    @property
    def maker(self) -> Holder:
        """The market maker."""
        return self.world.holders[MARKET_MAKER]


def run_demo(
    rounds: int | None,
    data_dir: Path | None,
    report: Callable[[str, int, int], None],
    opened: Callable[[DemoResult], None] = lambda _: None,
) -> DemoResult:
    """Run the main job on a chain of its own.

    Parameters
    ----------
    rounds : int or None
        Stop after this many snapshots; ``None`` takes all.
    data_dir : Path or None
        Folder of the market data; ``None`` looks in the usual places and else takes the synthetic market.
    report : Callable[[str, int, int], None]
        Told what is done, and the step of how many.
    opened : Callable[[DemoResult], None]
        Called once, when every account has been opened and margined on the first round.

    Returns
    -------
    DemoResult
        Complete; whether it passed is its own ``is_conserved`` and ``is_agreed``.

    Raises
    ------
    InputError
        When the market data are bad.
    UnavailableError
        When anvil or the built contracts are missing.
    """
    started = time.monotonic()
    replay = load_replay(data_dir, rounds)
    with anvil.running(replay.timestamps[0] - LEAD_SEC) as chain:
        report("deploying", 0, len(replay.timestamps))
        gas = GasBook()
        world = build_world(Client(chain.url), load_spec("local", Params()), gas)
        run = _prepare(world, ReplayFeed(replay), report)
        _open_books(run)
        for number in range(len(replay.timestamps)):
            _live_through(run, number)
            if number == 0:
                opened(run.result)
        _close(run)
    report("two chains", len(replay.timestamps), len(replay.timestamps))
    run.result.remote = play_two_chains(replay.timestamps[-1])
    run.result.conservation_problems += [f"two chains: {problem}" for problem in run.result.remote.problems]
    run.result.seconds = time.monotonic() - started
    return run.result


def _prepare(world: World, feed: ReplayFeed, report: Callable[[str, int, int], None]) -> _Run:
    """Start the keeper and let it post the first round."""
    owner, second = world.funded_wallet("keeper"), world.funded_wallet("backstop keeper")
    client, deployment = world.client, world.deployment
    index = Index(client, deployment, Store(MEMORY))
    encoder = Encoder(client, deployment, feed, RoundPoster(client, deployment, world.signers))
    policy = Policy(poll_sec=0.002, max_fee_wei=10**12)
    transactors = [Transactor(client, w, Journal(None), policy, clock=client.block_ts) for w in (owner, second)]
    result = DemoResult(
        feed.replay.data_source,
        dict.fromkeys(feed.replay.underlyings, 0),
        [],
        {symbol: [] for symbol in feed.replay.underlyings},
        gas=world.gas,
        names={CLEARING_ID: "clearing", FUND_ID: "insurance fund"},
        tokens={record.token_id: symbol for symbol, record in deployment.tokens.items()},
    )
    # The bidders' accounts do not exist yet; their ids are known, because accounts are numbered in order.
    rules = (
        BidderRule(LIQUIDATOR_ID, MIN_PROFIT, MIN_RETURN, MIN_RETURN, cushion=CUSHION, min_share=1.0),
        BidderRule(BACKSTOP_ID, MIN_PROFIT, BACKSTOP_RETURN, BACKSTOP_BONUS),
    )
    keeper, backstop = (
        Keeper(client, deployment, index, encoder, transactor, rule)
        for transactor, rule in zip(transactors, rules, strict=True)
    )
    world.holders[LIQUIDATOR] = Holder(LIQUIDATOR, owner, Mode.SINGLE)
    world.holders[BACKSTOP] = Holder(BACKSTOP, second, Mode.SINGLE)
    run = _Run(world, feed, keeper, backstop, result, report, params_of(deployment))
    world.set_time(feed.ts + SIGNING_SEC)
    _note(run, keeper.run_until_idle())
    return run


LIQUIDATOR_ID, BACKSTOP_ID = 2, 3


def _open_books(run: _Run) -> None:
    """Open, fund and build every account."""
    world = run.world
    market = market_of(run.keeper.index.state, world.deployment)
    if market is None:
        raise UnavailableError("demo", "the first round was not accepted")
    plans = plan_all(market, run.feed.replay.listing(0), run.params)
    world.set_taker_fees(TAKER_FEE_LINEAR, TAKER_FEE_OPTION)
    for name, cash in ((LIQUIDATOR, LIQUIDATOR_CASH), (BACKSTOP, BACKSTOP_CASH)):
        world.open(name, Mode.SINGLE, cash, by_permit=False, owner=world.holders[name].wallet)
    world.open(MARKET_MAKER, Mode.SINGLE, MAKER_CASH, by_permit=True)
    world.seed_fund(FUND_CASH)
    for number, plan in enumerate(plans):
        run.report(f"opening {plan.name}", number, len(plans))
        _open_book(run, plan)
    borrower = world.open(BORROWER, Mode.SINGLE, BORROWER_WETH, by_permit=False, symbol="WETH")
    world.borrow(borrower, BORROWED_CASH)
    _enrol(run)


def _enrol(run: _Run) -> None:
    """Put accounts that are new into the result."""
    run.keeper.index.sync()
    state = run.keeper.index.state
    for holder in run.world.holders.values():
        if holder.account_id not in run.names:
            run.names[holder.account_id] = run.result.names[holder.account_id] = holder.name
            held = len(state.accounts[holder.account_id].words)
            run.result.accounts.append(AccountResult(holder.account_id, holder.name, holder.mode, held))


def _join_the_dip(run: _Run, number: int) -> None:
    """Open the dip buyer's account at the first round after a deep enough fall."""
    seen = run.result.market[DIP_UNDERLYING]
    market = market_of(run.keeper.index.state, run.world.deployment)
    if DIP_BUYER.name in run.world.holders or not seen or market is None:
        return
    if market.rounds[DIP_UNDERLYING].spot > (1.0 - DIP) * seen[0].spot:
        return
    listing = run.feed.replay.listing(number)
    positions = [resolve(leg, market.rounds, listing) for leg in DIP_BUYER.legs]
    _open_book(run, plan_book(DIP_BUYER, positions, market, run.params))
    _enrol(run)


def _open_book(run: _Run, plan: Plan) -> None:
    """Build one account through signed orders, or one signed quote, against the market maker."""
    world, maker = run.world, run.maker
    holder = world.open(plan.name, plan.mode, plan.deposit, by_permit=plan.by_permit)
    for symbol, amount in plan.collateral.items():
        world.deposit(holder, symbol, amount)
    if plan.by_quote:
        receipt = world.fill_quote(holder, maker, plan.trades)
        taken = _side(world, holder.account_id, receipt.block_number)
        run.sides[receipt.block_number] = taken, _side(world, maker.account_id, receipt.block_number)
    else:
        for trade in plan.trades:
            world.trade(holder, maker, trade)
    if plan.withdraw > 0.0:
        world.withdraw(holder, plan.withdraw)
    if plan.isolation is not None:
        world.isolate(holder, ISOLATED, plan.isolation.position, plan.isolation.cash)


def _side(world: World, account_id: int, block_number: int) -> Side:
    """Ask the margin engine for an account in the block before a fill and in the block of the fill."""
    engine = world.contract("MarginEngine")
    before, after = (engine.call("marginOf", account_id, block=hex(n)) for n in (block_number - 1, block_number))
    return Side(before.equityWad, before.initialWad, after.equityWad, after.initialWad)


def _note(run: _Run, ended: list[Done]) -> None:
    """Book gas, counts and liquidations of what the keeper did."""
    for item in ended:
        if item.outcome.receipt is None:
            continue
        run.result.gas.note(STEP_OF[type(item.intent)], item.outcome.receipt.gas_used)
        if isinstance(item.intent, PostRound):
            run.result.rounds[item.intent.underlying] += 1
        if isinstance(item.intent, PostSettlement):
            run.result.settled_series += 1
        if isinstance(item.intent, Bid) and item.outcome.done:
            run.result.liquidations.append(_liquidation(run, item.intent.account_id, item.outcome.receipt))


def _liquidation(run: _Run, account_id: int, receipt: Receipt) -> Liquidation:
    """Describe one bid by the auction's own event and the margin in the blocks round it."""
    emitted = dict(run.world.contract("Auction").events(receipt))
    filled, covered = emitted["BidFilled"], emitted.get("LossCovered")
    engine = run.world.contract("MarginEngine")
    before = engine.call("marginOf", account_id, block=hex(receipt.block_number - 1))
    after = engine.call("marginOf", account_id, block=hex(receipt.block_number))
    return Liquidation(
        account_id=account_id,
        name=run.names[account_id],
        round_number=run.feed.number,
        ts=run.feed.ts,
        kind="solvent" if filled.isSolvent else "insolvent",
        fraction=wad_to_float(filled.fractionWad),
        price=wad_to_float(filled.priceWad),
        paid=wad_to_float(filled.cashWad),
        equity_before=wad_to_float(before.equityWad),
        equity_after=wad_to_float(after.equityWad),
        maintenance_before=wad_to_float(before.maintenanceWad),
        maintenance_after=wad_to_float(after.maintenanceWad),
        market_equity_before=wad_to_float(before.marketEquityWad),
        bidder_id=filled.bidderId,
        bidder=run.names[filled.bidderId],
        fee=wad_to_float(filled.feeWad),
        from_reserve=wad_to_float(covered.fromReserveWad) if covered else 0.0,
        from_fund=wad_to_float(covered.fromFundWad) if covered else 0.0,
        socialised=wad_to_float(covered.socialisedWad) if covered else 0.0,
    )


def _live_through(run: _Run, number: int) -> None:
    """Take the chain to one snapshot: post, settle, margin, liquidate, check."""
    run.report("living through the market", number, len(run.feed.replay.timestamps))
    run.feed.number = number
    if number > 0:
        run.world.set_time(run.feed.ts + SIGNING_SEC)
    _note(run, run.keeper.run_until_idle())
    _join_the_dip(run, number)
    _record(run, number)
    _see_auctions_through(run)
    _, problems = conservation(run.world, sorted(run.keeper.index.state.accounts))
    run.result.conservation_problems += [f"round {number}: {problem}" for problem in problems]


def _record(run: _Run, number: int) -> None:
    """Margin every account on chain and in the mirror and write down both and their difference."""
    state, deployment = run.keeper.index.state, run.world.deployment
    market = market_of(state, deployment)
    if market is None:
        raise UnavailableError("demo", f"no market on chain at round {number}")
    ids = [account.account_id for account in run.result.accounts]
    folios = {i: portfolio_of(state, i, deployment) for i in ids}
    mirror = dict(zip(ids, evaluate_many(market, list(folios.values()), run.params), strict=True))
    standard = standard_initials(run.world, ids)
    chain = chain_margins(run.world, ids, run.params)
    _compare(run, mirror, chain, folios, market)
    run.result.cover.append(_cover(run, number, chain))
    for account in run.result.accounts:
        found = chain[account.account_id]
        figures = Figures(found.equity, found.initial_margin, found.maintenance_margin, standard[account.account_id])
        account.path.append(PathPoint(number, run.feed.ts, figures, found.state))
        account.end_positions = len(folios[account.account_id].positions)
        if found.state == "margin call" and run.last_state.get(account.account_id) != "margin call":
            run.result.margin_calls += 1
        run.last_state[account.account_id] = found.state
    for symbol, posted in market.rounds.items():
        run.result.market[symbol].append(MarketPoint(posted.ts, posted.spot, atm_vol(posted)))


def _cover(run: _Run, number: int, chain: dict[int, MarginResult]) -> CoverPoint:
    """Hold the insurance fund against the two largest defaults at once, by the contracts' own rows."""
    fund = wad_to_float(run.world.contract("InsuranceFund").call("balanceWad"))
    names = [run.names[account_id] for account_id in chain]
    found = fund_size(fund, standing_of(names, list(chain.values()), run.params), run.params)
    return CoverPoint(
        round_number=number,
        ts=run.feed.ts,
        fund=fund,
        cover_two_within=found.cover_two_within.cost,
        cover_two=found.cover_two.cost,
        who=found.cover_two.names,
        row="" if found.cover_two.row is None else str(found.cover_two.row),
        covered_share=found.covered_share,
    )


def _compare(
    run: _Run,
    mirror: dict[int, MarginResult],
    chain: dict[int, MarginResult],
    folios: dict[int, Portfolio],
    market: Market,
) -> None:
    """Keep the largest difference seen so far."""
    worst = largest_difference(mirror, chain, folios, market)
    run.result.margins_compared += len(mirror)
    if worst.relative >= run.result.max_difference:
        run.result.max_difference = worst.relative
        run.result.max_difference_account = run.names[worst.account_id] if worst.account_id else ""


def atm_vol(posted: Round) -> float:
    """Return the volatility at the money of the expiry nearest to 30 days.

    Parameters
    ----------
    posted : Round
        With at least one expiry.

    Returns
    -------
    float
        Per year.
    """
    surface = min(posted.surfaces, key=lambda s: abs(s.expiry_ts - posted.ts - VOL_DAYS * DAY_SEC))
    years = (surface.expiry_ts - posted.ts) / YEAR_SEC
    variance = float(total_variance(surface.svi, np.zeros(1))[0])
    return (variance / years) ** 0.5 if years > 0.0 else 0.0


def _see_auctions_through(run: _Run) -> None:
    """Let the price fall minute by minute until every auction has found its bidder."""
    for _ in range(AUCTION_STEPS):
        if not run.keeper.index.state.auctions:
            return
        run.world.set_time(run.world.client.block_ts() + AUCTION_STEP_SEC)
        _note(run, run.keeper.run_until_idle())
        if run.keeper.index.state.auctions:
            _note(run, run.backstop.run_until_idle())


def _repay(run: _Run) -> None:
    """Let the borrower pay back what it owes, interest included."""
    world, borrower = run.world, run.world.holders[BORROWER]
    debt = -wad_to_float(world.contract("Accounts").call("cashOf", borrower.account_id))
    if debt > 0.0:
        world.deposit(borrower, "USDC", debt + REPAY_SLACK)


def _tell(run: _Run) -> None:
    """Read every event of the run and fold it; the last transaction has booked all interest and funding."""
    world, deployment = run.world, run.world.deployment
    reader = LogReader(world.client, {name: deployment.contracts[name] for name in SOURCES})
    events = reader.read(deployment.block, reader.head()[0])
    symbols = {number: symbol for symbol, number in deployment.underlyings.items()}
    balance_wad = world.contract("InsuranceFund").call("balanceWad")
    run.result.facts = facts_of(events, symbols, run.sides, balance_wad)
    run.result.insurance_fund = wad_to_float(balance_wad)


def _close(run: _Run) -> None:
    """Take the last look: final margins, the vault, the fund, the index."""
    _repay(run)
    run.world.accrue(run.maker.wallet, sorted(run.keeper.index.state.accounts))
    run.keeper.index.sync()
    state = run.keeper.index.state
    last = run.feed.number
    for account in run.result.accounts:
        account.path.pop()
    for points in run.result.market.values():
        points.pop()
    _record(run, last)
    run.result.vault_raw, problems = conservation(run.world, sorted(state.accounts))
    run.result.conservation_problems += [f"end: {problem}" for problem in problems]
    run.result.index_problems = index_problems(run.world, state)
    _tell(run)
    if run.result.facts is not None:
        run.result.conservation_problems += run.result.facts.problems()
    run.result.socialised_loss = wad_to_float(state.socialised_wad)
