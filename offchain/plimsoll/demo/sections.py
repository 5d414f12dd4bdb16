"""What the demo shows, section by section, in plain words; terminal and page only render it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from plimsoll.constants import AGREEMENT_BOUND
from plimsoll.demo.facts import Facts, QuoteFill
from plimsoll.demo.result import AccountResult, CoverPoint, DemoResult, Liquidation, RemoteStory
from plimsoll.model import Position
from plimsoll.units import wad_to_float

TOP_LENDERS = 5
SMALL = 0.005


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: headers, which columns are text (the rest are numbers), rows, and how many rows at the end are sums."""

    headers: tuple[str, ...]
    text_columns: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    sums: int = 0
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One thing the demo shows."""

    key: str
    title: str
    lead: str
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = field(default=())


def whole(value: float) -> str:
    """Return money without cents."""
    return f"{value:,.0f}"


def cents(value: float) -> str:
    """Return money with cents."""
    return f"{value:,.2f}"


def when(ts: int) -> str:
    """Return day and time, UTC."""
    return datetime.fromtimestamp(ts, tz=UTC).strftime("%d %b %H:%M")


def instrument(position: Position) -> str:
    """Return an instrument as a trader says it.

    Parameters
    ----------
    position : Position
        Its quantity is left out.

    Returns
    -------
    str
        For example ``ETH put 2,400 27 Feb``.
    """
    kind = position.kind
    parts = [position.underlying, kind.title]
    if kind.is_option:
        parts.append(f"{position.price:,.0f}")
    if kind.has_expiry:
        parts.append(datetime.fromtimestamp(position.expiry_ts, tz=UTC).strftime("%d %b"))
    return " ".join(parts)


def market_section(result: DemoResult) -> Section:
    """Return the path of the market."""
    rows = []
    for symbol, points in result.market.items():
        low = min(points, key=lambda p: p.spot)
        rows.append(
            (
                symbol,
                whole(points[0].spot),
                whole(low.spot),
                when(low.ts),
                f"{low.spot / points[0].spot - 1.0:+.1%}",
                whole(points[-1].spot),
                f"{points[0].atm_vol:.0%}",
                f"{max(p.atm_vol for p in points):.0%}",
            )
        )
    points = next(iter(result.market.values()))
    what = "recorded option chains" if result.data_source == "real" else "a made-up market (no recorded data here)"
    return Section(
        "market",
        "The market",
        f"{len(points)} rounds of {what}, {when(points[0].ts)} to {when(points[-1].ts)} UTC, signed by oracle keys and "
        "posted on a local chain. All money below is in USDC.",
        (
            Grid(
                ("", "start", "low", "at", "fall", "end", "30-day vol, start", "highest"),
                (0, 3),
                tuple(rows),
            ),
        ),
    )


def _opening_row(account: AccountResult) -> tuple[str, ...]:
    first = account.path[0].figures
    apart, saving = "", ""
    if account.positions:
        apart = whole(first.standard_initial)
        saving = f"{first.standard_initial / first.initial:.1f}x" if first.standard_initial and first.initial else ""
    return (
        str(account.account_id),
        account.name,
        str(account.positions),
        whole(first.equity),
        whole(first.initial),
        apart,
        saving,
        account.path[0].state,
    )


def _closing_row(account: AccountResult) -> tuple[str, ...]:
    first, last = account.path[0].figures, account.path[-1].figures
    return (
        str(account.account_id),
        account.name,
        str(account.end_positions),
        whole(first.equity),
        whole(last.equity),
        whole(last.equity - first.equity),
        whole(last.initial),
        account.path[-1].state,
    )


def opening_section(result: DemoResult) -> Section:
    """Return every account that was open on the first round; all that this takes is there after it."""
    return Section(
        "opening",
        "The books on the first round",
        "IM is the initial margin: the worst loss of the whole account over the scenarios, with add-ons. 'no offset' "
        "is what the same positions need one by one (mode STANDARD); the ratio is what netting saves; below "
        "1 the scenarios ask for more than the flat rates of STANDARD.",
        (
            Grid(
                ("id", "account", "pos", "equity", "IM", "no offset", "ratio", "state"),
                (1, 7),
                tuple(_opening_row(a) for a in result.accounts if a.path[0].round_number == 0),
            ),
        ),
    )


def closing_section(result: DemoResult) -> Section:
    """Return what the rounds made of every account."""
    return Section(
        "closing",
        "The books on the last round",
        "What the market, fees, interest and liquidations have left of each account.",
        (
            Grid(
                ("id", "account", "pos", "equity,\nstart", "equity,\nend", "change", "IM,\nend", "state"),
                (1, 7),
                tuple(_closing_row(account) for account in result.accounts),
            ),
        ),
    )


def _quote_grids(result: DemoResult, quote: QuoteFill) -> tuple[Grid, ...]:
    legs, net = [], 0.0
    for leg in quote.legs:
        quantity = leg.position.quantity
        paid = quantity * leg.price
        net += paid
        side = "buys" if quantity > 0 else "sells"
        legs.append((f"{side} {abs(quantity):g}", instrument(leg.position), cents(leg.price), cents(-paid)))
    fee = wad_to_float(quote.fee_wad)
    legs.append(("", "fee of the taker, to the insurance fund", "", cents(-fee)))
    legs.append(("", "in all", "", cents(-net - fee)))
    first = Grid(
        ("taker", "leg", "price", "cash of taker"), (0, 1), tuple(legs), 1, f"{result.name_of(quote.taker_id)}'s legs"
    )
    sides = ((quote.taker_id, "taker", quote.taker), (quote.maker_id, "maker", quote.maker))
    rows = tuple(
        (
            f"{result.name_of(i)} ({role})",
            cents(wad_to_float(side.equity_before_wad)),
            cents(wad_to_float(side.equity_after_wad)),
            cents(wad_to_float(side.initial_before_wad)),
            cents(wad_to_float(side.initial_after_wad)),
        )
        for i, role, side in sides
        if side
    )
    headers = ("both sides, margined once", "equity before", "after", "IM before", "after")
    return first, Grid(headers, (0,), rows)


def quote_section(result: DemoResult, facts: Facts) -> Section:
    """Return the quotes of several legs."""
    grids = tuple(grid for quote in facts.quotes for grid in _quote_grids(result, quote))
    legs = len(facts.quotes[0].legs) if facts.quotes else 0
    notes = tuple(f"Quote {q.digest[:18]}..., one transaction in block {q.block_number}." for q in facts.quotes)
    return Section(
        "rfq",
        f"Request for quote: {legs} legs, all or none",
        "The market maker signed one quote with a price for each leg; one transaction of the taker filled every leg. "
        "Both accounts were margined once, on the net result, so no half-built spread ever needed margin.",
        grids,
        notes,
    )


def borrowing_section(result: DemoResult, facts: Facts) -> Section:
    """Return loans, interest, and where the interest went."""
    loans = facts.borrowing
    if not loans.paid_wad:
        return Section("borrowing", "Borrowing", "Nobody owed cash in these rounds.")
    rows = []
    for account_id, paid in sorted(loans.paid_wad.items()):
        held = loans.collateral_wad.get(account_id, {})
        rows.append(
            (
                result.name_of(account_id),
                ", ".join(f"{wad_to_float(v):g} {result.tokens[n]}" for n, v in held.items() if v) or "its positions",
                cents(wad_to_float(loans.drawn_wad.get(account_id, 0))),
                cents(wad_to_float(loans.repaid_wad.get(account_id, 0))),
                cents(wad_to_float(paid)),
            )
        )
    who = Grid(("borrower", "against", "took out", "paid back", "interest paid"), (0, 1), tuple(rows))
    earned = sorted(loans.earned_wad.items(), key=lambda item: -item[1])
    top = [(result.name_of(i), cents(wad_to_float(v))) for i, v in earned[:TOP_LENDERS]]
    rest = earned[TOP_LENDERS:]
    if rest:
        top.append((f"{len(rest)} other lenders", cents(wad_to_float(sum(v for _, v in rest)))))
    top.append(("insurance fund, its reserve share", cents(wad_to_float(loans.reserve_wad))))
    top.append((f"rounding, kept by clearing: {loans.kept_wad:,} wei", cents(wad_to_float(loans.kept_wad))))
    top.append(("interest paid", cents(wad_to_float(sum(loans.paid_wad.values())))))
    return Section(
        "borrowing",
        "Borrowing: negative cash bears interest, positive cash earns it",
        "An account may take out cash it does not have, as long as its collateral covers its margin. Whoever has cash "
        "in the vault lends it; the rate follows how much is lent out (here up to "
        f"{loans.highest_rate_e6 / 1e4:.2f} % a year).",
        (who, Grid(("where the interest went", "cash"), (0,), tuple(top), 1)),
    )


def funding_section(result: DemoResult, facts: Facts) -> Section:
    """Return funding by account and its sum."""
    funding = facts.funding
    order = sorted(funding.net_wad.items(), key=lambda item: -item[1])
    shown = [(i, wad_to_float(v)) for i, v in order if abs(wad_to_float(v)) >= SMALL]
    rows = [
        (result.name_of(i), cents(value) if value > 0 else "", cents(-value) if value < 0 else "") for i, value in shown
    ]
    hidden = len(order) - len(shown)
    rows.append(
        (
            f"all{f' ({hidden} below a cent)' if hidden else ''}",
            cents(wad_to_float(funding.paid_wad)),
            cents(wad_to_float(funding.received_wad)),
        )
    )
    residue = "0 wei" if funding.residue_wad == 0 else f"{funding.residue_wad} wei: BROKEN"
    return Section(
        "funding",
        "Funding of perpetuals",
        f"{funding.updates} rounds set a rate from the premium of the perpetual over spot: longs pay it to shorts, or "
        "the other way round. A rate lives one hour; rounds here are about six hours apart, so funding runs one hour "
        "in six.",
        (Grid(("account", "paid", "received"), (0,), tuple(rows), 1),),
        (f"Sum over all accounts, clearing included: {residue}. Clearing keeps {funding.kept_wad} wei of rounding.",),
    )


def expiry_section(result: DemoResult, facts: Facts) -> Section:
    """Return what each expired series paid."""
    if not facts.expiries:
        return Section("expiry", "Expiry", "No series that anybody held expired in these rounds.")
    rows = []
    for expiry in facts.expiries:
        best_id, best = max(expiry.cash_wad.items(), key=lambda item: item[1])
        rows.append(
            (
                f"{expiry.underlying} {when(expiry.expiry_ts)}",
                cents(wad_to_float(expiry.price_wad)),
                str(expiry.positions),
                cents(wad_to_float(expiry.collected_wad)),
                cents(wad_to_float(expiry.paid_out_wad)),
                f"{result.name_of(best_id)} +{cents(wad_to_float(best))}" if best > 0 else "",
            )
        )
    return Section(
        "expiry",
        "Expiry: series settle on the average of the last half hour",
        "Settlement price is the mean of spot over the 30 minutes before expiry, posted once and signed. Anybody may "
        "then settle any holder: what options are worth moves from writers to holders, to the wei.",
        (
            Grid(
                ("series", "price", "positions", "writers paid", "holders got", "largest receiver"),
                (0, 5),
                tuple(rows),
            ),
        ),
    )


def _sale(item: Liquidation) -> tuple[str, ...]:
    return (
        f"{item.round_number}",
        when(item.ts),
        item.name,
        f"{item.fraction:.1%}",
        f"{item.price:.3f}",
        whole(item.paid),
        cents(item.fee),
        whole(item.equity_before - item.maintenance_before),
        whole(item.equity_after - item.maintenance_after),
    )


def liquidation_section(result: DemoResult) -> Section:
    """Return the solvent sales."""
    sales = [item for item in result.liquidations if not item.is_insolvent]
    if not sales:
        return Section(
            "liquidations", "Partial liquidations", "No account fell below its maintenance margin in these rounds."
        )
    largest = max(item.fraction for item in sales)
    partial = sum(item.fraction < 1.0 for item in sales)
    headers = ("round", "when", "account", "sold", "price", "paid", "fee", "excess\nbefore", "excess\nafter")
    return Section(
        "liquidations",
        "Partial liquidations: only as much as it takes",
        "Equity below maintenance margin opens a falling-price auction. A bid buys one slice of everything the account "
        "holds, hedges intact, at that share of its value: just enough to lift equity to 115 % of maintenance.",
        (Grid(headers, (1, 2), tuple(_sale(item) for item in sales)),),
        (
            f"{partial} of {len(sales)} sales took less than the whole account; the largest {largest:.1%}. "
            "Excess is equity less maintenance margin; no sale may lower it.",
        ),
    )


def _insolvency_story(result: DemoResult, item: Liquidation) -> str:
    """Say in words how one account came to be insolvent."""
    path = next(a.path for a in result.accounts if a.account_id == item.account_id)
    first = path[0]
    text = (
        f"The {item.name} joined on {when(first.ts)} with {whole(first.figures.equity)} of equity, "
        f"{first.figures.equity / first.figures.initial:.2f} times its initial margin. "
    )
    short = [point.round_number for point in path if point.state == "liquidatable"]
    sold = sum(other.account_id == item.account_id and not other.is_insolvent for other in result.liquidations)
    if short:
        held = f"slices sold before: {sold}" if sold else "nobody took a slice of it in time"
        text += f"It was below its maintenance margin from round {short[0]} on; {held}. "
    return text + (
        f"In round {item.round_number} the account was worth {whole(item.market_equity_before)}: more debt than "
        f"assets. The {item.bidder} took {item.fraction:.0%} of it over and was paid {whole(item.paid)}, for the debt "
        "and for carrying the risk on its own margin."
    )


def insolvency_section(result: DemoResult) -> Section:
    """Return who paid for what accounts could not."""
    failed = [item for item in result.liquidations if item.is_insolvent]
    title = "Insolvency: who pays when an account cannot"
    if not failed:
        return Section("insolvency", title, "No account became insolvent in these rounds; nobody paid for another.")
    rows = tuple(
        (
            f"{item.round_number}",
            when(item.ts),
            item.name,
            whole(item.market_equity_before),
            whole(item.paid),
            whole(item.from_reserve),
            whole(item.from_fund),
            whole(item.socialised),
        )
        for item in failed
    )
    headers = (
        "round",
        "when",
        "account",
        "worth",
        "paid to\ntaker",
        "by its own\nproceeds",
        "by the\nfund",
        "by all\nothers",
    )
    share = "Nothing was socialised: no other account lost anything."
    if result.socialised_loss > 0.0:
        share = f"Socialised over everybody with positive cash: {cents(result.socialised_loss)}."
    return Section(
        "insolvency",
        title,
        " ".join(_insolvency_story(result, item) for item in failed),
        (Grid(headers, (1, 2), rows),),
        (share,),
    )


def fund_section(result: DemoResult, facts: Facts) -> Section:
    """Return the insurance fund's book, and what it would have had to bear."""
    fund = facts.fund
    lines = [
        ("deposited by governance", fund.deposited_wad),
        ("trading fees", fund.trade_fees_wad),
        ("fees of liquidations", fund.liquidation_fees_wad),
        ("reserve share of interest", fund.reserve_wad),
        ("interest on its own cash", fund.interest_wad),
        ("other", fund.other_wad),
        ("paid for insolvent accounts", -fund.drawn_wad),
        ("balance, as the contract says", fund.balance_wad),
    ]
    rows = tuple((name, cents(wad_to_float(v))) for name, v in lines if v or name != "other")
    explained = "every wei" if fund.gap_wad == 0 else f"all but {fund.gap_wad} wei"
    return Section(
        "fund",
        "The insurance fund",
        f"Account 1 of the ledger. The lines are sums of events and explain {explained} of the balance.",
        (Grid(("", "cash"), (0,), rows, 1), _cover_grid(result)),
        _cover_notes(result),
    )


def _worst_cover(result: DemoResult) -> CoverPoint:
    """Return the round at which the fund was furthest below cover-2."""
    return min(result.cover, key=lambda point: point.fund - point.cover_two)


def _cover_grid(result: DemoResult) -> Grid:
    """Return the fund beside cover-2 at the first round, at the worst for it, and at the last."""
    points = (result.cover[0], _worst_cover(result), result.cover[-1])
    rows = tuple(
        (
            f"{when}, round {point.round_number}",
            whole(point.fund),
            whole(point.cover_two_within),
            whole(point.cover_two),
            f"{point.covered_share:.0%}",
        )
        for when, point in zip(("first", "worst", "last"), points, strict=True)
    )
    return Grid(("", "fund", "cover-2\nin range", "cover-2\nany row", "covered"), (0,), rows)


def _cover_notes(result: DemoResult) -> tuple[str, ...]:
    """Say what cover-2 is and where it was worst."""
    worst = _worst_cover(result)
    said = (
        "Cover-2 is what the two largest defaults at once would leave unpaid, the cost of their auctions included: "
        "under moves within the price range, and under any row of the scenario book. Covered are those whom every move "
        "within the range leaves solvent. `plimsoll fund` asks the same of any deployment."
    )
    if not worst.who:
        return (said,)
    return (said, f"Worst at round {worst.round_number}: {' and '.join(worst.who)}, {worst.row}.")


def remote_section(story: RemoteStory) -> Section:
    """Return the scene of collateral on another chain."""
    rows = (
        ("locked in the escrow there, claimed and deposited here", f"{story.locked:,.2f} ETH"),
        ("haircut of the claim, its wait for finality included", f"{story.haircut:.2%}"),
        (
            f"bought with it: {story.bought:,.0f} ETH perp at {whole(story.spot_before)}; equity",
            cents(story.equity_before),
        ),
        ("initial margin", cents(story.initial_before)),
        (f"spot falls to {whole(story.spot_after)}; equity", cents(story.equity_after)),
        ("maintenance margin", cents(story.maintenance_after)),
        ("sold to a bidder, share of the account", f"{story.sold_share:.1%}"),
        ("claims that the bidder redeemed", f"{story.seized:,.4f} ETH"),
        ("that left the escrow for the bidder", f"{story.released:,.4f} ETH"),
        ("that still wait there for the trader's claims", f"{story.waits:,.4f} ETH"),
    )
    return Section(
        "remote",
        "Collateral on another chain",
        "On two chains of its own: tokens wait in an escrow on one, a proof of them makes claims on the other, and "
        "whoever the claims are sold to takes the tokens out.",
        (Grid(("", ""), (0,), rows),),
    )


def checks_section(result: DemoResult) -> Section:
    """Return what was checked and how it came out."""
    rounds = ", ".join(f"{symbol} {count}" for symbol, count in result.rounds.items())
    events = "equal, account by account" if not result.index_problems else result.index_problems[0]
    rows = (
        ("money in the vault = money of all accounts", "to the wei" if result.is_conserved else "BROKEN"),
        ("state rebuilt from events = state on chain", events),
        (
            f"float mirror against contracts, {result.margins_compared} margins",
            f"{result.max_difference:.1e} of gross notional at most (limit {AGREEMENT_BOUND:.0e})",
        ),
        ("rounds posted", rounds),
        ("margin calls; series settled", f"{result.margin_calls}; {result.settled_series}"),
        ("time", f"{result.seconds:.0f} s"),
    )
    problems = tuple([*result.conservation_problems, *result.index_problems][:3])
    return Section(
        "checks",
        "Checks",
        "Money and margins are checked at every round, the replay of all events at the end.",
        (Grid(("", ""), (0, 1), rows),),
        problems,
    )


def gas_section(result: DemoResult) -> Section:
    """Return gas by step."""
    rows = tuple(
        (step, str(len(used)), f"{result.gas.mean(step):,}", f"{result.gas.largest(step):,}")
        for step, used in sorted(result.gas.used.items())
    )
    return Section(
        "gas",
        "Gas",
        "Of every transaction in the run. Trades include those of the market maker with about a hundred positions.",
        (Grid(("step", "count", "mean", "largest"), (0,), rows),),
    )


def sections_of(result: DemoResult) -> Sequence[Section]:
    """Return everything the demo shows, in the order of the report; `opening_section` comes first.

    Parameters
    ----------
    result : DemoResult
        A finished run.

    Returns
    -------
    Sequence[Section]
        Plain text only.
    """
    found = [opening_section(result), market_section(result), closing_section(result)]
    facts = result.facts
    if facts is not None:
        found += [
            section(result, facts) for section in (quote_section, borrowing_section, funding_section, expiry_section)
        ]
    found += [liquidation_section(result), insolvency_section(result)]
    if facts is not None:
        found.append(fund_section(result, facts))
    if result.remote is not None:
        found.append(remote_section(result.remote))
    return [*found, checks_section(result), gas_section(result)]
