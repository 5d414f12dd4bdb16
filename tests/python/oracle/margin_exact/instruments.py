"""Section 2: values and greeks of one open unit; section 3: its value under a node."""

from mpmath import mp, mpf
from oracle.margin_exact.rounds import DAY, YEAR, total_variance


def black(right, discount, forward, strike, std):
    """Discounted (price, delta) of Black-76; a strike of zero or below makes a call a forward, a put nothing."""
    sign = 1 if right == "call" else -1
    if strike <= 0:
        return (discount * (forward - strike), discount) if right == "call" else (mpf(0), mpf(0))
    if std == 0:
        inside = sign * (forward - strike)
        share = mpf(1) / 2 if inside == 0 else mpf(inside > 0)
        return discount * max(inside, mpf(0)), discount * sign * share
    d1 = mp.log(forward / strike) / std + std / 2
    share = mp.ncdf(sign * d1)
    return discount * sign * (forward * share - strike * mp.ncdf(sign * (d1 - std))), discount * sign * share


def horizon_factor(tau):
    """``g(T)``: how much stronger a volatility shock is at short tenors."""
    return (30 * DAY / max(tau, DAY)) ** (mpf(0.30) if tau <= 30 * DAY else mpf(0.13))


def shocked(sigma, vol, g, p):
    """Volatility in a vol state."""
    if vol == "up":
        return max(p("volFloor"), sigma * (1 + p("volUp") * g))
    return sigma * max(mpf(0), 1 - p("volDown") * g) if vol == "down" else sigma


class OptionUnit:
    """One open unit of an option with its strike of the open quantity."""

    def __init__(self, expiry, right, strike, p):
        self.expiry, self.right, self.p = expiry, right, p
        self.strike = expiry.open_price(strike)
        self.forward, self.discount = expiry.forward, expiry.discount
        self.k = mp.log(self.strike / self.forward) if self.strike > 0 else None
        variance = mpf(0) if self.k is None else total_variance(expiry.svi, self.k)
        self.std = mp.sqrt(variance)
        self.sigma = self.std / mp.sqrt(expiry.V)
        self.g = horizon_factor(expiry.tau)
        self.value, self.delta = black(right, self.discount, self.forward, self.strike, self.std)
        self._greeks()
        self._seen = {}

    def _greeks(self):
        """Gamma, vega per 1.00 of volatility, theta per year with the volatility held."""
        self.gamma = self.vega = mpf(0)
        self.theta = self.expiry.rate * self.value
        if self.std == 0:
            return
        root = mp.sqrt(self.expiry.V)
        density = mp.npdf(mp.log(self.forward / self.strike) / self.std + self.std / 2)
        self.gamma = self.discount * density / (self.forward * self.std)
        self.vega = self.discount * self.forward * density * root
        pace = mpf(1) / 3 if self.expiry.theta > 0 else mpf(1)
        self.theta = self.expiry.rate * self.value - pace * self.vega * self.sigma / (2 * self.expiry.V)

    def skew_factor(self, c):
        """``1 + c*clamp(k/kStar, -1, 1)``; ``kStar`` is a width of the smile that grows with tenor."""
        if self.k is None:
            return mpf(1)
        k_star = mpf(0.6) * mp.sqrt(max(self.expiry.T, DAY / YEAR))
        return 1 + c * max(mpf(-1), min(mpf(1), self.k / k_star))

    def under(self, move, vol, c=0):
        """(value, delta) after a price move, in a vol state, with a skew."""
        key = (move, vol, c)
        if key not in self._seen:
            sigma = shocked(self.sigma, vol, self.g, self.p) * self.skew_factor(c)
            self._seen[key] = black(
                self.right, self.discount, self.forward * (1 + move), self.strike, sigma * mp.sqrt(self.expiry.V)
            )
        return self._seen[key]


def option_value(expiry, right, strike, unit):
    """Value of one whole option: the open part of it at its open strike, or what the mean has settled."""
    if expiry.open == 0:
        sign = 1 if right == "call" else -1
        return max(mpf(0), sign * (expiry.mean - mpf(strike)))
    return expiry.open * unit.value


def linear_value(underlying, position):
    """Value of one whole linear instrument, whose kind is looked at here and nowhere else.

    A perpetual is worth its price less its entry; of a future the open part expects the forward, the rest has the mean.
    """
    entry = mpf(position["entry"])
    if position["kind"] == "perp":
        return underlying.perp - entry
    expiry = underlying.expiries[position["expiry"]]
    expected = expiry.open * expiry.forward + expiry.theta * expiry.mean
    return expiry.discount * (expected - entry)
