"""Liquidation formulas (risk-model section 8); mirror of contracts/libraries/AuctionMath.sol.

Who asks for them on chain is contracts/liquidation/Auction.sol, which picks the branch.

``equity`` is E, ``maintenance`` M, ``reserve`` V (proceeds of earlier bids), ``rest`` A: the market value,
without haircuts, of everything outside V.
"""

from __future__ import annotations

from dataclasses import dataclass

START_FACTOR = 0.98
MID_FACTOR = 0.70
MID_AFTER_SEC = 15 * 60
END_AFTER_SEC = MID_AFTER_SEC + 12 * 3_600
INSOLVENT_HOUR_SEC = 60 * 60
#: The discount is measured on at least this share of M.
RISK_SHARE = 0.25
#: Share of M that a bidder may gain however small the loss.
FREE_BONUS = 0.02
#: A price path that nobody vouched for this long starts again.
VOUCH_SEC = 30 * 60


@dataclass(frozen=True, slots=True)
class Slice:
    """What one bid moves, cash: ``price`` into the reserve, ``fee`` to the insurance fund."""

    fraction: float
    price: float
    fee: float


@dataclass(frozen=True, slots=True)
class Payment:
    """Who pays the bidder of an insolvent slice: earlier proceeds, guarantee lines, the fund, all positive cash."""

    from_reserve: float
    from_fund: float
    socialised: float
    from_sponsors: float = 0.0

    @property
    def total(self) -> float:
        """What the bidder gets."""
        return self.from_reserve + self.from_sponsors + self.from_fund + self.socialised


@dataclass(frozen=True, slots=True)
class Insolvent:
    """An account whose rest is worth less than nothing, in cash.

    Parameters
    ----------
    rest, maintenance : float
        A, negative, and M.
    reserve : float
        V.
    credit : float
        What V and the lines would hold had every insolvent slice taken only its own share of them; the bonus is
        measured on it.
    elapsed_sec : float
        Seconds on the clock of the branch.
    lines : float
        What guarantee lines of the account hold.
    """

    rest: float
    maintenance: float
    reserve: float
    credit: float
    elapsed_sec: float
    lines: float = 0.0

    @property
    def own(self) -> float:
        """What pays before the fund does."""
        return self.reserve + self.lines


def price_factor(elapsed_sec: float) -> float:
    """Return ``d``: 0.98 falling to 0.70 in 15 minutes, then to 0 in 12 hours."""
    if elapsed_sec <= MID_AFTER_SEC:
        return START_FACTOR - (START_FACTOR - MID_FACTOR) * max(elapsed_sec, 0.0) / MID_AFTER_SEC
    left = (END_AFTER_SEC - elapsed_sec) / (END_AFTER_SEC - MID_AFTER_SEC)
    return MID_FACTOR * max(left, 0.0)


def whole_price(rest: float, maintenance: float, factor: float) -> float:
    """Return ``max(0, A - (1-d)*max(A, 0.25*M))``, the price of everything outside the reserve."""
    return max(0.0, rest - (1.0 - factor) * max(rest, RISK_SHARE * maintenance))


def largest_fraction(equity: float, maintenance: float, reserve: float, price: float, buffer: float) -> float:
    """Return ``((1+b)*M - E)/((1+b)*M - (E - V) + price)``, the fraction that restores the buffer.

    Parameters
    ----------
    equity, maintenance, reserve : float
        E, M and V, cash.
    price : float
        Price of everything outside the reserve.
    buffer : float
        ``b``.

    Returns
    -------
    float
        In [0, 1]; 1 also when no fraction restores the buffer; 0 at or above maintenance, where nothing is sold.
    """
    if equity >= maintenance:
        return 0.0
    target = (1.0 + buffer) * maintenance
    room = target - (equity - reserve) + price
    return 1.0 if room <= 0.0 else min(1.0, (target - equity) / room)


def solvent_slice(fraction: float, rest: float, price: float, fee_rate: float) -> Slice:
    """Return price and fee of a solvent bid; the fee never exceeds the bidder's discount."""
    return Slice(fraction, fraction * price, fraction * min(fee_rate * rest, rest - price))


def equity_after(equity: float, reserve: float, taken: Slice) -> float:
    """Return ``E - f*((E - V) - price)``; haircuts leave with what they were taken from."""
    return equity - taken.fraction * (equity - reserve) + taken.price


def bonus(account: Insolvent, bonus_share: float) -> float:
    """Return ``min(bonusShare*M*t/60 min, loss + 0.02*M)``, what a bidder gets beyond the debt of a whole account.

    Where guarantee lines cover the debt ``0.25*M`` stands in the place of the loss: they pay the bonus themselves.
    """
    is_covered = account.lines > 0.0 and account.rest + account.own >= 0.0
    beyond = max(0.0, -(account.rest + max(account.own, account.credit)))
    loss = RISK_SHARE * account.maintenance if is_covered else beyond
    risen = bonus_share * account.maintenance * max(account.elapsed_sec, 0.0) / INSOLVENT_HOUR_SEC
    return min(risen, loss + FREE_BONUS * account.maintenance)


def insolvent_payment(fraction: float, account: Insolvent, bonus_share: float, fund_available: float) -> Payment:
    """Return who pays what of ``f*c``, ``c = -A + bonus``.

    While reserve and lines cover the debt nobody else pays. Otherwise reserve, lines, fund (as far as it may in this
    hour) and all positive cash pay the debt in this order, and the fund alone the bonus.

    Parameters
    ----------
    fraction : float
        f.
    account : Insolvent
    bonus_share : float
        Share of M that the bonus grows by in an hour.
    fund_available : float
        What the insurance fund may pay now.

    Returns
    -------
    Payment
    """
    whole = -account.rest + bonus(account, bonus_share)
    if account.rest + account.own >= 0.0:
        paid = fraction * min(whole, account.own)
        from_reserve = min(account.reserve, paid)
        return Payment(from_reserve, 0.0, 0.0, paid - from_reserve)
    owed = -fraction * account.rest
    from_reserve = min(account.reserve, owed)
    from_sponsors = min(account.lines, owed - from_reserve)
    own = from_reserve + from_sponsors
    from_fund = min(fraction * whole - own, fund_available)
    return Payment(from_reserve, from_fund, max(0.0, owed - own - from_fund), from_sponsors)
