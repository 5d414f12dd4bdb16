"""Signs rounds, token prices and settlement samples and encodes the calls that post them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eth_account.signers.local import LocalAccount

from plimsoll.chain.client import Client, Receipt
from plimsoll.chain.contracts import LOCAL_GAS
from plimsoll.chain.signing import domain_of, sign_by_all, struct_types
from plimsoll.deployment.record import Deployment
from plimsoll.errors import DomainError
from plimsoll.model import MAX_TS, Round, Surface
from plimsoll.units import float_to_wad


def _seconds(field: str, ts: int) -> int:
    """Return a time, when it can be one in seconds."""
    if not 0 <= ts <= MAX_TS:
        raise DomainError(field, f"{ts} is no time in seconds; the limit is {MAX_TS} (milliseconds?)")
    return ts


def _underlying_id(deployment: Deployment, symbol: str) -> int:
    """Return the id of an underlying, when it is listed."""
    if symbol not in deployment.underlyings:
        known = ", ".join(sorted(deployment.underlyings))
        raise DomainError("underlying", f"{symbol!r} is not listed; the deployment has {known}")
    return deployment.underlyings[symbol]


def _surface(surface: Surface) -> dict[str, int]:
    return {
        "expiryTs": _seconds("expiry", surface.expiry_ts),
        "forwardWad": float_to_wad(surface.forward),
        "rateWad": float_to_wad(surface.rate),
        "aWad": float_to_wad(surface.svi.a),
        "bWad": float_to_wad(surface.svi.b),
        "rhoWad": float_to_wad(surface.svi.rho),
        "mWad": float_to_wad(surface.svi.m),
        "sWad": float_to_wad(surface.svi.sigma),
    }


def round_message(deployment: Deployment, market_round: Round) -> dict[str, Any]:
    """Return a round as ``postRound`` takes it.

    Parameters
    ----------
    deployment : Deployment
        Ids on chain.
    market_round : Round
        In cash units.

    Returns
    -------
    dict
        ``IOracle.Round``.

    Raises
    ------
    DomainError
        When the underlying is not listed, a time is none in seconds, or a number is not finite.
    """
    return {
        "underlyingId": _underlying_id(deployment, market_round.underlying),
        "ts": _seconds("round", market_round.ts),
        "spotWad": float_to_wad(market_round.spot),
        "perpWad": float_to_wad(market_round.perp),
        "confWad": float_to_wad(market_round.confidence),
        "meanWad": float_to_wad(market_round.mean or 0.0),
        "surfaces": [_surface(surface) for surface in market_round.surfaces],
    }


def tokens_message(deployment: Deployment, ts: int, prices: Mapping[str, float]) -> dict[str, Any]:
    """Return token prices as ``postTokenPrices`` takes them.

    Parameters
    ----------
    deployment : Deployment
        Ids on chain.
    ts : int
        Time of the prices, unix seconds.
    prices : Mapping[str, float]
        Cash units by token symbol.

    Returns
    -------
    dict
        ``IOracle.TokenPrices``.
    """
    listed = sorted((deployment.tokens[symbol].token_id, price) for symbol, price in prices.items())
    return {
        "ts": _seconds("tokenPrices", ts),
        "tokenIds": [token_id for token_id, _ in listed],
        "pricesWad": [float_to_wad(price) for _, price in listed],
    }


def settlement_message(
    deployment: Deployment, underlying: str, expiry_ts: int, samples: Sequence[tuple[int, float]]
) -> dict[str, Any]:
    """Return settlement samples as ``postSettlement`` takes them.

    Parameters
    ----------
    deployment : Deployment
        Ids on chain.
    underlying : str
        Symbol.
    expiry_ts : int
        Expiry, unix seconds.
    samples : Sequence[tuple[int, float]]
        Time and spot, increasing.

    Returns
    -------
    dict
        ``IOracle.SettlementSamples``.
    """
    return {
        "underlyingId": _underlying_id(deployment, underlying),
        "expiryTs": _seconds("expiry", expiry_ts),
        "sampleTs": [_seconds("sample", ts) for ts, _ in samples],
        "spotsWad": [float_to_wad(spot) for _, spot in samples],
    }


class RoundPoster:
    """The oracle as its signers see it.

    Parameters
    ----------
    client : Client
        Endpoint.
    deployment : Deployment
        Names on chain.
    signers : Sequence[LocalAccount]
        Keys of at least the threshold.
    """

    def __init__(self, client: Client, deployment: Deployment, signers: Sequence[LocalAccount]) -> None:
        self._oracle = deployment.contract(client, "Oracle")
        self._deployment = deployment
        self._signers = tuple(signers)
        self._domain = domain_of(self._oracle)

    @property
    def address(self) -> str:
        """Address of the oracle."""
        return self._oracle.address

    def _signed(self, function: str, message: dict[str, Any]) -> bytes:
        """Sign a struct and encode the call that takes it."""
        primary, types = struct_types(self._oracle, function)
        signatures = sign_by_all(self._signers, self._domain, primary, types, message)
        return self._oracle.encode(function, message, signatures)

    def round_call(self, market_round: Round) -> bytes:
        """Sign one round.

        Parameters
        ----------
        market_round : Round
            In cash units.

        Returns
        -------
        bytes
            Call data of ``postRound``.
        """
        return self._signed("postRound", round_message(self._deployment, market_round))

    def tokens_call(self, ts: int, prices: Mapping[str, float]) -> bytes:
        """Sign token prices.

        Parameters
        ----------
        ts : int
            Time of the prices, unix seconds.
        prices : Mapping[str, float]
            Cash units by token symbol.

        Returns
        -------
        bytes
            Call data of ``postTokenPrices``.
        """
        return self._signed("postTokenPrices", tokens_message(self._deployment, ts, prices))

    def settlement_call(self, underlying: str, expiry_ts: int, samples: Sequence[tuple[int, float]]) -> bytes:
        """Sign settlement samples.

        Parameters
        ----------
        underlying : str
            Symbol.
        expiry_ts : int
            Expiry, unix seconds.
        samples : Sequence[tuple[int, float]]
            Time and spot, increasing.

        Returns
        -------
        bytes
            Call data of ``postSettlement``.
        """
        message = settlement_message(self._deployment, underlying, expiry_ts, samples)
        return self._signed("postSettlement", message)

    def send(self, relayer: LocalAccount, data: bytes) -> Receipt:
        """Relay a signed call without further ado; local chains only.

        Parameters
        ----------
        relayer : LocalAccount
            Pays the gas.
        data : bytes
            One of the calls above.

        Returns
        -------
        Receipt
            Of the successful transaction.
        """
        return self._oracle.client.send(relayer, self._oracle.address, data, LOCAL_GAS, "Oracle")
