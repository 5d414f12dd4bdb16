"""Anchors of the oracle in whole numbers: every rounding of SpeedLimit and AnchorWord once more."""

from __future__ import annotations

from typing import Any

from tests.python.oracle.fixed import WAD, exp_wad, ln_wad, sqrt, sqrt_wad, toward_zero

STEP = 2 * 10**10
ZERO = STEP << 31
HOUR, DAY, YEAR = 3_600, 86_400, 365 * 86_400
WINDOW, MEAN = 1_800, 1_200
LN2 = 693_147_180_559_945_309
FIELDS = ("forward", "discount", "centre variance", "upper variance", "lower variance")


def kept(elapsed: int) -> int:
    """Share of an anchor that is left, wad."""
    return exp_wad(-toward_zero(elapsed * LN2, HOUR))


def reach(limit: int, elapsed: int, heartbeat: int) -> int:
    """Largest distance after some time, wad."""
    return limit if elapsed <= heartbeat else limit + limit * (elapsed * LN2 // HOUR) // WAD


def ln_of(anchor: int) -> int:
    """Logarithm that an anchor stands for, wad."""
    return anchor * STEP - ZERO


def first(ln: int) -> int:
    """Anchor of a number that never had one."""
    return (ln + ZERO) // STEP


def follow(anchor: int, ln: int, share: int) -> int:
    """Anchor after a number was accepted: never closer to it than the rule says."""
    lead = ln_of(anchor) - ln
    y = ln + toward_zero(lead * share, WAD) + ZERO
    return -(-y // STEP) if lead > 0 else y // STEP


def logs_of(surface: dict[str, int], ts: int) -> dict[str, int]:
    """Logarithms of an expiry by field, wad; inside the window without the variances."""
    left = surface["expiryTs"] - ts
    found = [ln_wad(surface["forwardWad"]), toward_zero(surface["rateWad"] * left, YEAR)]
    if left >= WINDOW:
        far = sqrt_wad(max(left, DAY) * 36 * 10**16 // YEAR)
        found += [_ln_variance(surface, k, left - MEAN) for k in (0, far, -far)]
    return dict(zip(FIELDS, found, strict=False))


def _ln_variance(surface: dict[str, int], k: int, open_sec: int) -> int:
    x = k - surface["mWad"]
    wing = toward_zero(surface["rhoWad"] * x, WAD) + sqrt(x * x + surface["sWad"] ** 2)
    w = surface["aWad"] + toward_zero(surface["bWad"] * wing, WAD)
    return ln_wad(max(toward_zero(w * YEAR, open_sec), 10**14))


class Anchors:
    """Anchors of one underlying, moved round by round."""

    def __init__(self) -> None:
        self.ts = 0
        self.head: dict[str, int] = {}
        self.surfaces: dict[int, tuple[int, dict[str, int]]] = {}

    def accept(self, message: dict[str, Any]) -> None:
        """Move every anchor by a round."""
        ts = message["ts"]
        logs = {name: ln_wad(message[f"{name}Wad"]) for name in ("spot", "perp")}
        self.head = _moved(self.head, logs, ts - self.ts)
        self.ts = ts
        for surface in message["surfaces"]:
            since, before = self.surfaces.get(surface["expiryTs"], (0, {}))
            self.surfaces[surface["expiryTs"]] = ts, _moved(before, logs_of(surface, ts), ts - since)


def _moved(before: dict[str, int], logs: dict[str, int], elapsed: int) -> dict[str, int]:
    share = kept(elapsed)
    moved = {n: follow(before[n], ln, share) if n in before else first(ln) for n, ln in logs.items()}
    return before | moved
