"""Section 1: what a round says of one expiry, the settlement window included."""

from mpmath import mp, mpf

DAY = mpf(86_400)
YEAR = 365 * DAY
WINDOW = mpf(1_800)


def variance_time(tau):
    """``V_e``: time that the total variance of the open part belongs to, for a mean over the last 30 minutes."""
    return (tau - 1_200) / YEAR if tau >= WINDOW else tau / 3 / YEAR


def known_share(tau):
    """``theta``: share of the settlement price that is already known."""
    return (WINDOW - tau) / WINDOW if tau < WINDOW else mpf(0)


def fade(tau):
    """``omega``: share of a position that no longer hedges what expires later."""
    return max(mpf(0), min(mpf(1), (24 * 3_600 - tau) / (22 * mpf(3_600))))


def total_variance(svi, k):
    """``w(k)`` of raw SVI."""
    a, b, rho, m, s = (mpf(svi[name]) for name in ("a", "b", "rho", "m", "sigma"))
    return max(a + b * (rho * (k - m) + mp.sqrt((k - m) ** 2 + s**2)), mpf(0))


class Expiry:
    """One expiry of a round."""

    def __init__(self, timestamp, document, mean):
        self.ts = document["expiry"]
        self.tau = mpf(max(self.ts - timestamp, 0))
        self.T = self.tau / YEAR
        self.V = variance_time(self.tau)
        self.theta = known_share(self.tau)
        self.open = 1 - self.theta
        self.omega = fade(self.tau)
        self.forward, self.rate, self.svi = mpf(document["forward"]), mpf(document["rate"]), document["svi"]
        self.discount = mp.exp(-self.rate * self.T)
        if self.theta > 0 and mean is None:
            raise ValueError("an expiry inside its settlement window needs settlementMean")
        self.mean = mpf(mean) if self.theta > 0 else mpf(0)

    def open_price(self, price):
        """Strike or entry of the open quantity; it may be zero or below."""
        return (mpf(price) - self.theta * self.mean) / self.open
