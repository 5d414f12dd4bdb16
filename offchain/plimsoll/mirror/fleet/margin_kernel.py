"""Equity, requirement and state of one account after another (risk-model sections 4 to 6), without an object.

The formulas are those of :mod:`plimsoll.mirror.requirement`, ``exposure``, ``standard``, ``cross`` and
``margin_engine``. Positions of an account are sorted by underlying, expiry and strike, so that one pass adds up a
*block* for each expiry: losses by node, gaps after netting by strike, worst vols, skew, sums. Blocks grow in
proportion, so an underlying at a cut-off is a weighted sum of its blocks. A call is a put and a forward: both walk on
one row, that of the put, and the forward is linear.

Everything is in this one file, because the cache of compiled code follows a file (see :mod:`plimsoll.mirror.jit`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from plimsoll.constants import AGREEMENT_BOUND
from plimsoll.mirror.aligned import aligned_zeros
from plimsoll.mirror.fleet.terms import AccountTerms, Holdings, InstrumentTerms, Records, Results, UnderlyingTerms
from plimsoll.mirror.jit import compiled
from plimsoll.model import MAX_POSITIONS

Vector = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

_STANDARD: Final = 1
_CROSS: Final = 2
_VOLS: Final = 3
_HEALTHY: Final = 0
_MARGIN_CALL: Final = 1
_LIQUIDATABLE: Final = 2
_INSOLVENT: Final = 3
_UNKNOWN: Final = 4
_NOT_FINITE: Final = 64
#: Rounding of a bound that decides whether size must be looked at.
_SLACK: Final = 1.0 + 1e-9
#: Distance to a bound, as a share of gross notional, from which on an account is healthy whoever computes it.
_CLEAR: Final = 2.0 * AGREEMENT_BOUND
#: Columns of an underlying's numbers: what its formula gives, the largest over cut-offs; whether anything is held,
#: units of either sign; bounds of what counts as size in STANDARD; linked units; whether the last cut-off changed it.
_SIMPLE, _BASIS, _SKEW, _LEAST, _SIZE, _LARGEST, _TOUCHED, _UNITS, _NET, _SCAN, _VEGA, _LINKED, _FADED = range(13)
#: Columns of whole numbers: by block its segment and the place of its underlying; cut-offs; slots by place.
_SEGMENT, _OWNER, _CUTOFF, _SLOT = range(4)


class Work(NamedTuple):
    """Room for one account, of one thread.

    Underlyings have a *place* in the order in which the account holds them. ``blocks`` keeps expiries; ``total`` adds
    up an underlying, by place, ``joint`` those of one layout; ``numbers`` are by place.
    """

    blocks: Vector
    total: Vector
    joint: Vector
    bound: Vector
    numbers: Vector
    whole: Longs
    place_of: Longs


def room(width: int, places: int, underlyings: int) -> Work:
    """Make room for one account of any size: a kernel allocates nothing (see :mod:`plimsoll.mirror.jit`).

    Parameters
    ----------
    width, places : int
        Of the shape of the tables.
    underlyings : int
        Number of slots.

    Returns
    -------
    Work
        Of one thread at a time; it may be used again.
    """
    block = (2 * _VOLS + 2) * width + 3 * places + 4
    most = max(MAX_POSITIONS, underlyings) + 1
    return Work(
        aligned_zeros((most, block)),
        aligned_zeros((underlyings + 1, block)),
        aligned_zeros(block),
        aligned_zeros(width),
        np.zeros((underlyings + 1, 13)),
        np.zeros((most, 4), dtype=np.int64),
        np.full(underlyings + 1, -1, dtype=np.int64),
    )


@compiled
def _enter(slot: int, owners: int, work: Work) -> int:
    """Give an underlying a place in the account; return how many there are."""
    if work.place_of[slot] >= 0:
        return owners
    work.place_of[slot] = owners
    work.whole[owners, _SLOT] = slot
    work.numbers[owners, :] = 0.0
    return owners + 1


@compiled
def _look_at_positions(
    first: int, end: int, instrument: Numbers, instruments: Records, segments: Records, work: Work
) -> tuple[int, int]:
    """Find the underlyings of an account's positions and all reasons why it may be unknown."""
    reason, owners = 0, 0
    for at in range(first, end):
        record = instruments[instrument[at]]
        reason |= record.problem
        owners = _enter(segments[record.segment].underlying, owners, work)
    return reason, owners


@compiled
def _look_at_collateral(
    first: int,
    end: int,
    owners: int,
    token: Numbers,
    amount: Vector,
    tokens: Records,
    underlyings: Records,
    work: Work,
) -> tuple[int, int]:
    """Find the underlyings that collateral is linked to, and add up its units."""
    reason = 0
    for at in range(first, end):
        record = tokens[token[at]]
        reason |= record.problem
        slot = record.linked
        if slot >= 0:
            reason |= underlyings[slot].problem
            owners = _enter(slot, owners, work)
            units = amount[at] * record.ratio
            numbers = work.numbers[work.place_of[slot]]
            numbers[_LINKED] += units
            if units != 0.0:
                numbers[_TOUCHED] = 1.0
    return reason, owners


@compiled
def _pledged(first: int, end: int, token: Numbers, amount: Vector, tokens: Records, mode: int) -> tuple[float, float]:
    """Value of the collateral after haircuts, and before."""
    counted, whole = 0.0, 0.0
    for at in range(first, end):
        record = tokens[token[at]]
        worth = amount[at] * record.price
        whole += worth
        counted += worth * (record.counted_standard if mode == _STANDARD else record.counted)
    return counted, whole


@compiled
def _values(
    first: int,
    end: int,
    needy: bool,
    instrument: Numbers,
    quantity: Vector,
    price: Vector,
    instruments: Records,
    segments: Records,
    work: Work,
) -> tuple[float, float, float]:
    """Mark of the positions, what of it counts in STANDARD, and what they need one by one.

    With ``needy``, as in STANDARD, long options need nothing and count for nothing.
    """
    mark, counted, alone = 0.0, 0.0, 0.0
    for at in range(first, end):
        q, record = quantity[at], instruments[instrument[at]]
        segment = segments[record.segment]
        numbers = work.numbers[work.place_of[segment.underlying]]
        numbers[_UNITS] += abs(q)
        if q != 0.0:
            numbers[_TOUCHED] = 1.0
        value = q * record.mark - q * price[at] * record.entry_factor
        mark += value
        counted += value if record.is_option == 0 else min(value, 0.0)
        if needy and record.is_option != 0 and q >= 0.0:
            continue
        cash_delta = q * record.cash_delta
        scan = q * record.scan_long if q > 0.0 else -q * record.scan_short
        if record.is_option != 0:
            alone += q * record.long_alone if q > 0.0 else -q * record.short_alone
        else:
            cash_leg = abs(cash_delta - value) * segment.open_share
            alone += scan + max(abs(cash_delta), cash_leg) * segment.basis_rate
        numbers[_NET] += abs(cash_delta)
        numbers[_SCAN] += scan
        numbers[_VEGA] += abs(q * record.vega)
    return mark, counted, alone


@compiled
def _may_be_large(owners: int, underlyings: Records, work: Work) -> bool:
    """Whether size can count in any underlying: sums of what positions need alone bound what they need together."""
    for place in range(owners):
        numbers, underlying = work.numbers[place], underlyings[work.whole[place, _SLOT]]
        cash = numbers[_LINKED] * underlying.spot
        scan = numbers[_SCAN] + cash * underlying.straight_worst
        net = max(numbers[_NET] + cash, scan / underlying.price_range)
        if net * _SLACK > underlying.n0 or numbers[_VEGA] * _SLACK > underlying.v0:
            return True
    return False


@compiled
def _sums(width: int, places: int) -> int:
    """Return where the sums of a block begin, its last four columns.

    Losses, both sides of skew pairs, gaps, worst vols at either end of an interval and skew stand before them.
    """
    return (2 * _VOLS + 2) * width + 3 * places


@compiled
def _add_expiry(
    at: int,
    end: int,
    needy: bool,
    instrument: Numbers,
    quantity: Vector,
    price: Vector,
    instruments: InstrumentTerms,
    row: Vector,
    gaps: Vector,
    sums: Vector,
) -> tuple[int, float]:
    """Add up the positions of one expiry from ``at`` on, and the gaps of what is long after netting by strike.

    Returns
    -------
    at : int
        The first position of another expiry.
    straight : float
        Cash delta of what is linear, forwards in calls among it.
    """
    records = instruments.records
    segment, straight = records[instrument[at]].segment, 0.0
    cash_delta, value, vega, sold = 0.0, 0.0, 0.0, 0.0
    while at < end and records[instrument[at]].segment == segment:
        curve, net = records[instrument[at]].curve, 0.0
        while at < end and records[instrument[at]].curve == curve:
            q, record = quantity[at], records[instrument[at]]
            option = record.is_option != 0
            if not (needy and option and q > 0.0):
                straight += q * record.straight
                cash_delta += q * record.cash_delta
                vega += q * record.vega
                value += q * record.mark - q * price[at] * record.entry_factor
                if option:
                    net += q
                    sold += max(-q, 0.0) * record.open_share
            at += 1
        if net != 0.0:
            one = instruments.rows[curve]
            for i in range(row.size):
                row[i] += net * one[i]
        if net > 0.0:
            gap = instruments.gap[curve]
            for i in range(gaps.size):
                gaps[i] += net * gap[i]
    sums[0], sums[1], sums[2], sums[3] = cash_delta, value, vega, sold
    return at, straight


@compiled
def _finish(block: Vector, width: int, places: int, mask: Vector) -> None:
    """Complete a block whose losses, skew pairs and gaps are there: worst vols of every interval, and skew."""
    nodes = _VOLS * width
    first = nodes + 2 * places
    low, high = block[first + nodes : first + nodes + width], block[first + nodes + width : first + nodes + 2 * width]
    for vol in range(_VOLS):
        start = vol * width
        loss, gap, absent = block[start:nodes], block[first + start : first + nodes], mask[start:nodes]
        for s in range(width - 1):
            at_low, at_high = loss[s] + gap[s] + absent[s], loss[s + 1] + gap[s] + absent[s]
            if vol == 0:
                low[s], high[s] = at_low, at_high
            else:
                low[s] = at_low if at_low > low[s] else low[s]
                high[s] = at_high if at_high > high[s] else high[s]
    plus, minus = block[nodes : nodes + places], block[nodes + places : first]
    skew = block[first + nodes + 2 * width : first + nodes + 2 * width + places]
    for place in range(places):
        wider = plus[place] if plus[place] > minus[place] else minus[place]
        skew[place] = wider if wider > 0.0 else 0.0


@compiled
def _expiries(
    first: int,
    end: int,
    needy: bool,
    instrument: Numbers,
    quantity: Vector,
    price: Vector,
    instruments: InstrumentTerms,
    segments: Records,
    underlyings: UnderlyingTerms,
    work: Work,
    width: int,
    places: int,
) -> int:
    """Fill a block for each expiry; with ``needy`` long options are left out. Return the number of blocks."""
    nodes = _VOLS * width
    middle, last = nodes + 2 * places, _sums(width, places)
    count, at = 0, first
    while at < end:
        number = instruments.records[instrument[at]].segment
        segment = segments[number]
        slot, block = segment.underlying, work.blocks[count]
        block[:] = 0.0
        row, gaps, sums = block[:middle], block[middle : middle + nodes], block[last:]
        at, straight = _add_expiry(at, end, needy, instrument, quantity, price, instruments, row, gaps, sums)
        if straight != 0.0:
            line = underlyings.straight[slot]
            for i in range(nodes):
                row[i] += straight * line[i]
        _finish(block, width, places, underlyings.mask[slot])
        cash_leg = abs(sums[0] - sums[1]) * segment.open_share
        sums[1] = max(abs(sums[0]), cash_leg) * segment.basis_rate
        work.whole[count, _SEGMENT], work.whole[count, _OWNER] = number, work.place_of[slot]
        count += 1
    return count


@compiled
def _cutoffs(blocks: int, segments: Records, whole: Longs) -> int:
    """List the expiries of the account that fade, rising; return how many there are."""
    count = 0
    for k in range(blocks):
        segment = segments[whole[k, _SEGMENT]]
        if segment.fading == 0:
            continue
        place = 0
        while place < count and whole[place, _CUTOFF] < segment.expiry_ts:
            place += 1
        if place < count and whole[place, _CUTOFF] == segment.expiry_ts:
            continue
        for c in range(count, place, -1):
            whole[c, _CUTOFF] = whole[c - 1, _CUTOFF]
        whole[place, _CUTOFF] = segment.expiry_ts
        count += 1
    return count


@compiled
def _add_up(blocks: int, owners: int, underlyings: UnderlyingTerms, work: Work, width: int, places: int) -> None:
    """Add up each underlying: its linked collateral and its blocks."""
    nodes, sums = _VOLS * width, _sums(width, places)
    low = sums - places - 2 * width
    for place in range(owners):
        total, slot = work.total[place], work.whole[place, _SLOT]
        total[:] = 0.0
        underlying = underlyings.records[slot]
        cash = work.numbers[place, _LINKED] * underlying.spot
        if cash != 0.0:
            straight = underlyings.straight[slot]
            for i in range(nodes):
                total[i] = cash * straight[i]
            for s in range(underlying.prices - 1):
                total[low + s] = cash * straight[nodes + s]
                total[low + width + s] = cash * straight[nodes + s + 1]
            total[sums] = cash
    for k in range(blocks):
        total, block = work.total[work.whole[k, _OWNER]], work.blocks[k]
        for i in range(block.size):
            total[i] += block[i]


@compiled
def _fade(cutoff: int, blocks: int, owners: int, segments: Records, work: Work) -> None:
    """Take off what has faded at a cut-off; what fades at those before it is off already."""
    for place in range(owners):
        work.numbers[place, _FADED] = 0.0
    for k in range(blocks):
        segment = segments[work.whole[k, _SEGMENT]]
        if segment.expiry_ts == cutoff:
            place = work.whole[k, _OWNER]
            work.numbers[place, _FADED] = 1.0
            total, block, omega = work.total[place], work.blocks[k], segment.omega
            for i in range(block.size):
                total[i] -= omega * block[i]


@compiled
def _worst_of(loss: Vector) -> float:
    """Largest number of a few, never below 0."""
    worst = 0.0
    for i in range(loss.size):
        worst = loss[i] if loss[i] > worst else worst
    return worst


@compiled
def _worst(total: Vector, bound: Vector, width: int, places: int) -> tuple[float, float]:
    """Certified scan, and the same with every expiry in its own vol state; never below 0."""
    nodes = _VOLS * width
    first = nodes + 2 * places
    bound[:] = 0.0
    for vol in range(_VOLS):
        start = vol * width
        loss, gap = total[start:nodes], total[first + start : first + nodes]
        for s in range(width - 1):
            wider = (loss[s] if loss[s] > loss[s + 1] else loss[s + 1]) + gap[s]
            bound[s] = wider if wider > bound[s] else bound[s]
    certified = _worst_of(bound)
    low, high = total[first + nodes : first + nodes + width], total[first + nodes + width : first + nodes + 2 * width]
    for s in range(width):
        wider = low[s] if low[s] > high[s] else high[s]
        bound[s] = wider if wider > bound[s] else bound[s]
    return certified, _worst_of(bound)


@compiled
def _over(size: float, free: float, rate: float) -> float:
    """``rate*max(0, size - free)^2/free``, never more than the size itself."""
    beyond = max(size - free, 0.0)
    return min(rate * beyond * beyond / free, size)


@compiled
def _components(total: Vector, bound: Vector, underlying: Records, numbers: Vector, width: int, places: int) -> None:
    """Section 4 for one underlying: what is covered without size, and what CROSS adds up."""
    sums = _sums(width, places)
    certified, any_vol = _worst(total, bound, width, places)
    skew = _worst_of(total[sums - places : sums])
    basis, skew_term = total[sums + 1], underlying.skew_rate * skew
    least = underlying.short_min_rate * underlying.spot * total[sums + 3]
    size = max(abs(total[sums]), certified / underlying.price_range)
    charge = _over(size, underlying.n0, underlying.conc_rate)
    charge += _over(abs(total[sums + 2]), underlying.v0, underlying.conc_vega_rate)
    covered = certified + basis + underlying.vega_term_rate * (any_vol - certified) + skew_term
    numbers[_SIMPLE] = max(covered, least)
    numbers[_BASIS], numbers[_SKEW], numbers[_LEAST], numbers[_SIZE] = basis, skew_term, least, charge


@compiled
def _joint(owners: int, underlyings: Records, work: Work, width: int, places: int) -> float:
    """``R_joint``: the underlyings of each layout added up node by node."""
    needed = 0.0
    for place in range(owners):
        layout = underlyings[work.whole[place, _SLOT]].layout
        first = True
        for before in range(place):
            first = first and underlyings[work.whole[before, _SLOT]].layout != layout
        if not first:
            continue
        work.joint[:] = 0.0
        basis, skew, least, size, rate = 0.0, 0.0, 0.0, 0.0, 0.0
        for other in range(place, owners):
            underlying = underlyings[work.whole[other, _SLOT]]
            if underlying.layout != layout:
                continue
            total, numbers = work.total[other], work.numbers[other]
            for i in range(total.size):
                work.joint[i] += total[i]
            basis += numbers[_BASIS]
            skew += numbers[_SKEW]
            least += numbers[_LEAST]
            size += numbers[_SIZE]
            rate = max(rate, underlying.vega_term_rate * numbers[_TOUCHED])
        certified, any_vol = _worst(work.joint, work.bound, width, places)
        needed += max(certified + basis + rate * (any_vol - certified) + skew, least) + size
    return needed


@compiled
def _netted(
    blocks: int,
    owners: int,
    mode: int,
    stress_share: float,
    segments: Records,
    underlyings: UnderlyingTerms,
    work: Work,
    width: int,
    places: int,
) -> float:
    """Compute the requirement of SINGLE and CROSS; of STANDARD what its size needs, once per underlying."""
    records, crossed, single = underlyings.records, 0.0, 0.0
    _add_up(blocks, owners, underlyings, work, width, places)
    for c in range(_cutoffs(blocks, segments, work.whole) + 1):
        if c > 0:
            _fade(work.whole[c - 1, _CUTOFF], blocks, owners, segments, work)
        plain = 0.0
        for place in range(owners):
            numbers = work.numbers[place]
            if c == 0 or numbers[_FADED] != 0.0:
                slot = work.whole[place, _SLOT]
                _components(work.total[place], work.bound, records[slot], numbers, width, places)
            needed = numbers[_SIZE] if mode == _STANDARD else numbers[_SIMPLE] + numbers[_SIZE]
            numbers[_LARGEST] = max(numbers[_LARGEST], needed)
            plain += needed
        if mode == _CROSS:
            joint = _joint(owners, records, work, width, places)
            crossed = max(crossed, stress_share * plain + (1.0 - stress_share) * joint)
    for place in range(owners):
        single += work.numbers[place, _LARGEST]
    return crossed if mode == _CROSS else single


@compiled
def _linked_alone(owners: int, underlyings: Records, work: Work) -> float:
    """Most that linked collateral adds to what is needed, without size."""
    needed = 0.0
    for place in range(owners):
        underlying = underlyings[work.whole[place, _SLOT]]
        needed += abs(work.numbers[place, _LINKED]) * underlying.spot * underlying.straight_worst
    return needed


@compiled
def _notional(owners: int, underlyings: Records, work: Work) -> tuple[float, float]:
    """Gross notional, and what doubtful rounds cost on it."""
    gross, doubt = 0.0, 0.0
    for place in range(owners):
        underlying = underlyings[work.whole[place, _SLOT]]
        notional = underlying.spot * work.numbers[place, _UNITS]
        gross += notional
        doubt += notional * underlying.doubt
    return gross, doubt


@compiled
def _put(i: int, required: float, doubt: float, cash: float, terms: AccountTerms, out: Results) -> None:
    """Write the requirements of an account."""
    charged = required + max(0.0, -cash) * terms.debt_rate
    out.initial[i] = terms.im_factor * charged * terms.peg + doubt
    out.maintenance[i] = terms.mm_factor * charged


@compiled
def _is_surely_healthy(i: int, out: Results) -> bool:
    """Whether equity is above requirements that are bounds by more than anybody's rounding; never by no number."""
    least = max(out.initial[i], out.maintenance[i]) + _CLEAR * out.gross[i]
    clear: bool = out.equity[i] > least and out.market_equity[i] >= 0.0
    return clear and bool(np.isfinite(out.equity[i] + out.market_equity[i]))


@compiled
def _account(
    i: int,
    exact: bool,
    owners: int,
    held: Holdings,
    instruments: InstrumentTerms,
    segments: Records,
    underlyings: UnderlyingTerms,
    tokens: Records,
    terms: AccountTerms,
    work: Work,
    width: int,
    places: int,
    out: Results,
) -> None:
    """Put one account together; unless it must be ``exact``, only as far as it takes to know that it is healthy."""
    mode, cash = held.modes[i], held.cash[i]
    first = held.position_start[i]
    end = first + held.position_count[i]
    pools = (held.instrument, held.quantity, held.price)
    needy = mode == _STANDARD
    mark, counted, required = _values(first, end, needy, *pools, instruments.records, segments, work)
    gross, doubt = _notional(owners, underlyings.records, work)
    token = held.collateral_start[i]
    pledged, whole = _pledged(token, token + held.collateral_count[i], held.token, held.amount, tokens, mode)
    out.equity[i] = cash + (counted if needy else mark) + pledged
    out.market_equity[i] = cash + mark + whole
    out.gross[i] = gross
    large = (needy or not exact) and _may_be_large(owners, underlyings.records, work)
    if not needy and not exact and not large:
        # What everything needs alone is no less than what it needs together, and known at once.
        _put(i, required + _linked_alone(owners, underlyings.records, work), doubt, cash, terms, out)
        out.bounded[i] = _is_surely_healthy(i, out)
        if out.bounded[i]:
            return
    if not needy:
        required = 0.0
    if not needy or large:
        blocks = _expiries(first, end, needy, *pools, instruments, segments, underlyings, work, width, places)
        required += _netted(blocks, owners, mode, terms.stress_share, segments, underlyings, work, width, places)
    _put(i, required, doubt, cash, terms, out)


@compiled
def _state(i: int, out: Results) -> int:
    """State of an account; insolvency goes before all others, and what is no finite number is unknown."""
    sound = np.isfinite(out.equity[i]) and np.isfinite(out.market_equity[i]) and np.isfinite(out.gross[i])
    if not (sound and np.isfinite(out.initial[i]) and np.isfinite(out.maintenance[i])):
        return _UNKNOWN
    if out.market_equity[i] < 0.0:
        return _INSOLVENT
    if out.equity[i] < out.maintenance[i]:
        return _LIQUIDATABLE
    return _MARGIN_CALL if out.equity[i] < out.initial[i] else _HEALTHY


@compiled
def margins_of(
    accounts: Longs,
    exact: Flags,
    begin: int,
    stop: int,
    held: Holdings,
    instruments: InstrumentTerms,
    segments: Records,
    underlyings: UnderlyingTerms,
    tokens: Records,
    terms: AccountTerms,
    width: int,
    places: int,
    work: Work,
    out: Results,
) -> None:
    """Margin of the accounts in ``accounts[begin:stop]``, which are rows of ``held`` and of ``out``.

    Where ``exact``, by the same place, is not set, an account that surely is healthy may have bounds in place of its
    requirements. They rest on this: with a positive factor every term but size grows as the position does, and of two
    positions together it is never more than the sum of both alone (a worst of sums, a part above 0, an amount without
    its sign); a cut-off leaves a share of at most 1 of each, and CROSS counts no more than the sum over underlyings, as
    long as no ``vega_term_rate`` is above 1. Size is left out only where sums of what positions need alone are below
    its limits.
    """
    for k in range(begin, stop):
        i = accounts[k]
        first = held.position_start[i]
        reason, owners = _look_at_positions(
            first, first + held.position_count[i], held.instrument, instruments.records, segments, work
        )
        first, end = held.collateral_start[i], held.collateral_start[i] + held.collateral_count[i]
        more, owners = _look_at_collateral(
            first, end, owners, held.token, held.amount, tokens, underlyings.records, work
        )
        reason |= more | held.problem[i]
        state = _UNKNOWN
        out.bounded[i] = False
        if reason == 0:
            _account(
                i, exact[k], owners, held, instruments, segments, underlyings, tokens, terms, work, width, places, out
            )
            state = _state(i, out)
            reason = _NOT_FINITE if state == _UNKNOWN else 0
        if reason != 0:
            out.equity[i], out.market_equity[i], out.gross[i] = np.nan, np.nan, np.nan
            out.initial[i], out.maintenance[i] = np.nan, np.nan
        out.reason[i], out.state[i] = reason, state
        for place in range(owners):
            work.place_of[work.whole[place, _SLOT]] = -1
