"""Rounds of a local chain: the shape of a market file around a spot, signed by the wallets of public seeds."""

from __future__ import annotations

import math
from dataclasses import replace

from plimsoll.chain.anvil import wallet
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.keeper.anchors import read_anchors, read_limits
from plimsoll.mirror.speed_limit import Limits
from plimsoll.model import Round
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster
from plimsoll.session.session import DEPLOYER, SIGNERS, TICK_SEC, Session
from plimsoll.units import wad_to_float


def last_spot(session: Session, underlying: str) -> tuple[float, int]:
    """Return the newest spot and its time, unix seconds; both 0 before the first round."""
    spot_wad, ts = session.contract("Oracle").call("lastSpotOf", session.deployment.underlyings[underlying])
    return wad_to_float(spot_wad), ts


def expiries_of(session: Session, underlying: str) -> tuple[int, ...]:
    """Return the expiries that the rounds of an underlying hold: those of the market, in days from the deployment."""
    return tuple(s.expiry_ts + _shift_sec(session) for s in session.market.rounds[underlying].surfaces)


def post_round(session: Session, underlying: str, spot: float | None) -> float:
    """Post a round of one underlying, and the prices of tokens that have their own.

    Parameters
    ----------
    session : Session
        On a local chain: what a person makes up is no price for anybody else.
    underlying : str
        Symbol.
    spot : float or None
        In cash; the last one, or the market's before the first round, when None.

    Returns
    -------
    float
        The spot that was posted.

    Raises
    ------
    InputError
        When the chain is not local, or the spot is beyond the oracle's speed limit; names the nearest that pass.
    """
    if not session.is_local:
        raise InputError("network", "rounds of a public network come from its keeper: `plimsoll keeper run`")
    before, ts = last_spot(session, underlying)
    if session.now() <= ts:
        session.sleep(TICK_SEC)
    fresh = _round_at(session, underlying, spot or before or session.market.rounds[underlying].spot)
    _check_speed(session, fresh)
    poster = RoundPoster(session.client, session.deployment, [wallet(name) for name in SIGNERS])
    relayer = session.wallet(DEPLOYER)
    with session.all_or_nothing():
        poster.send(relayer, poster.round_call(fresh))
        poster.send(relayer, poster.tokens_call(fresh.ts, own_prices(session.market)))
    return fresh.spot


def _shift_sec(session: Session) -> int:
    """Return the whole days from the market's time to the deployment's, in seconds: expiries keep their hour."""
    block = session.client.rpc("eth_getBlockByNumber", hex(session.deployment.block), False)
    return round((int(block["timestamp"], 16) - session.market.ts) / DAY_SEC) * DAY_SEC


def _round_at(session: Session, underlying: str, spot: float) -> Round:
    """Return the market's round, now, with everything in proportion to the spot."""
    shape, ts = session.market.rounds[underlying], session.client.block_ts()
    scale, shift_sec = spot / shape.spot, _shift_sec(session)
    surfaces = tuple(
        replace(s, expiry_ts=s.expiry_ts + shift_sec, forward=s.forward * scale)
        for s in shape.surfaces
        if s.expiry_ts + shift_sec > ts
    )
    mean = None if shape.mean is None else shape.mean * scale
    return replace(shape, ts=ts, spot=spot, perp=shape.perp * scale, mean=mean, surfaces=surfaces)


def _check_speed(session: Session, fresh: Round) -> None:
    """Refuse a spot that the oracle would refuse, naming the nearest that pass."""
    oracle = session.contract("Oracle")
    anchor = read_anchors(oracle, session.deployment.underlyings[fresh.underlying], ()).head
    if anchor is None:
        return
    limits: Limits = read_limits(oracle)
    reach = limits.reach("spot", fresh.ts - anchor.ts)
    lowest, highest = (math.exp(anchor.logs["spot"] + way * reach) for way in (-1.0, 1.0))
    if not lowest <= fresh.spot <= highest:
        allowed = f"{math.ceil(lowest * 100) / 100:,.2f} to {math.floor(highest * 100) / 100:,.2f}"
        raise InputError("spot", f"{fresh.spot:,.2f} is beyond the oracle's speed limit, which allows {allowed} now")
