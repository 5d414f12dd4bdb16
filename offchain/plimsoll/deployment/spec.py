"""What a deployment is made from: a TOML file per network, or a market file for a margin check."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from eth_utils.address import is_address

from plimsoll.constants import DAY_SEC
from plimsoll.deployment.liquidity_spec import LiquiditySpec, read_liquidity
from plimsoll.deployment.loan_spec import DECIMALS, WHOLE, LoanSpec, read_loans
from plimsoll.deployment.remote_spec import RemoteSpec, RemoteTokenSpec, read_remote
from plimsoll.deployment.strategy_spec import StrategySpec, read_strategy
from plimsoll.deployment.table import build_table, check_table, check_type
from plimsoll.errors import InputError
from plimsoll.model import Kind, Market, Token
from plimsoll.params import Params

CONFIG = Path(__file__).resolve().parents[1] / "config"
#: Of a configuration: those that must be there, and those that may be.
SECTIONS: Final = {
    *("network", "oracle", "underlyings", "tokens", "funding", "lending", "listing", "open_interest", "range_rule"),
}
OPTIONAL_SECTIONS: Final = {"aggregators", "rates", "remote", "strategy", "liquidity", "loans"}

# The margin check prices one fixed moment; nothing may grow stale or deviate while it runs.
CHECK_HEARTBEAT_SEC = DAY_SEC
CHECK_MAX_MOVE = 10.0
CHECK_DECIMALS = 18

LOCAL_CHAIN_ID = 31337


@dataclass(frozen=True, slots=True)
class TokenSpec:
    """One token: collateral terms as fractions; ``address`` empty means that a LocalToken is deployed.

    Liquidity between the prices ``lower`` and ``upper`` has a ratio of 0, and so has a loan, without such prices.
    ``outflow_share`` of what the vault holds may leave at once, ``outflow_daily`` of it comes back in a day.
    """

    symbol: str
    name: str
    decimals: int
    haircut: float
    linked: str = ""
    linked_haircut: float = 0.0
    ratio: float = 1.0
    deposit_cap: float = 1e9
    outflow_share: float = 0.1
    outflow_daily: float = 0.25
    address: str = ""
    lower: float = 0.0
    upper: float = 0.0


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """Where to; ``is_local`` allows mintable tokens and throw-away keys; ``grace_sec`` follows a change."""

    name: str
    is_local: bool
    confirmations: int
    governor_delay_sec: int
    chain_id: int = LOCAL_CHAIN_ID
    grace_sec: int = 0


@dataclass(frozen=True, slots=True)
class OracleSpec:
    """Signers and bounds of the oracle; the two moves are logarithms; ``sequencer`` may be empty."""

    signer_threshold: int
    heartbeat_sec: int
    max_move: float
    max_variance_move: float
    signers: tuple[str, ...] = ()
    sequencer: str = ""
    sequencer_grace_sec: int = 0


@dataclass(frozen=True, slots=True)
class AggregatorSpec:
    """A second opinion on the spot of one underlying; ``max_deviation`` is a fraction."""

    underlying: str
    feed: str
    max_age_sec: int
    max_deviation: float


#: Largest cap on open interest, units.
MAX_CAP = 1e12
#: A bit for each kind.
ALL_KINDS = sum(1 << kind for kind in Kind)

#: How a source states the rate of a token, in the order of IRateFeed.Form.
RATE_FORMS = ("none", "erc4626", "get_rate", "exchange_rate", "get_exchange_rate", "steth_per_token")


@dataclass(frozen=True, slots=True)
class RateSpec:
    """Where the ratio of a token comes from; ``max_rise`` and ``max_fall`` are fractions a day.

    Two observations of a rise lie ``gap_sec`` apart, two of a fall ``fall_gap_sec``.
    """

    token: str
    source: str
    form: str
    gap_sec: int
    fall_gap_sec: int
    max_rise: float
    max_fall: float


@dataclass(frozen=True, slots=True)
class FundingSpec:
    """Funding of perpetuals: largest premium as a fraction of spot, and the time over which a premium is paid once."""

    max_premium: float
    period_sec: int


@dataclass(frozen=True, slots=True)
class RangeRuleSpec:
    """How price ranges follow the market; the floor of each is the range that its underlying is listed with.

    ``multiple`` counts roots of the averaged squared span of a day, of which a day leaves ``kept``; ``max_rise`` and
    ``max_fall`` are the speed of a day.
    """

    ceiling: float
    multiple: float
    kept: float
    max_rise: float
    max_fall: float


@dataclass(frozen=True, slots=True)
class LendingSpec:
    """Rates a year by utilisation, as fractions; ``reserve_share`` of the interest goes to the insurance fund.

    No trade, loan or withdrawal lifts utilisation above ``max_utilisation``.
    """

    base_rate: float
    kink: float
    kink_rate: float
    full_rate: float
    reserve_share: float
    max_utilisation: float


@dataclass(frozen=True, slots=True)
class OpenInterestSpec:
    """Most units of one underlying that may be long in one series (kind and expiry), by kind; 0 for no cap."""

    underlying: str
    caps: Mapping[Kind, float]


@dataclass(frozen=True, slots=True)
class ListingSpec:
    """What may be traded of every underlying; ``kinds`` has the bit ``1 << kind`` of each :class:`Kind`."""

    kinds: int
    expiry_step_sec: int
    max_tenor_sec: int
    strike_step: float

    @property
    def listed(self) -> list[Kind]:
        """Kinds that may be traded."""
        return [kind for kind in Kind if self.kinds >> kind & 1]


# A margin check trades nothing; these are the terms of a deployment that names none.
CHECK_FUNDING = FundingSpec(max_premium=0.01, period_sec=28_800)
CHECK_RANGE_RULE = RangeRuleSpec(ceiling=0.5, multiple=3.0, kept=0.94, max_rise=0.03, max_fall=0.005)
CHECK_LENDING = LendingSpec(
    base_rate=0.01, kink=0.9, kink_rate=0.06, full_rate=1.0, reserve_share=0.1, max_utilisation=0.9
)
CHECK_LISTING = ListingSpec(kinds=ALL_KINDS, expiry_step_sec=1, max_tenor_sec=126_144_000, strike_step=1e-8)


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything ``deploy`` needs; ``tokens`` starts with the cash token."""

    network: NetworkSpec
    oracle: OracleSpec
    tokens: tuple[TokenSpec, ...]
    underlyings: tuple[str, ...]
    params: Params = field(default_factory=Params)
    funding: FundingSpec = CHECK_FUNDING
    lending: LendingSpec = CHECK_LENDING
    listing: ListingSpec = CHECK_LISTING
    aggregators: tuple[AggregatorSpec, ...] = ()
    rates: tuple[RateSpec, ...] = ()
    open_interest: tuple[OpenInterestSpec, ...] = ()
    range_rule: RangeRuleSpec = CHECK_RANGE_RULE
    remote: RemoteSpec | None = None
    strategy: StrategySpec | None = None
    liquidity: tuple[LiquiditySpec, ...] = ()
    loans: tuple[LoanSpec, ...] = ()

    @property
    def listed(self) -> tuple[TokenSpec, ...]:
        """Tokens in the order of their ids: those of this chain, claims to those of the other one, liquidity, loans."""
        claims = () if self.remote is None else tuple(_claim_terms(self.remote, token) for token in self.remote.tokens)
        liquidity = (_liquidity_terms(self.tokens, entry) for entry in self.liquidity)
        return (*self.tokens, *claims, *liquidity, *(_loan_terms(self.tokens, entry) for entry in self.loans))

    def with_signers(self, signers: tuple[str, ...]) -> Spec:
        """Return the same deployment with other oracle signers.

        Parameters
        ----------
        signers : tuple[str, ...]
            Addresses, any order.

        Returns
        -------
        Spec
            Signers sorted.
        """
        return replace(self, oracle=replace(self.oracle, signers=tuple(sorted(signers, key=lambda a: int(a, 16)))))


def _claim_terms(remote: RemoteSpec, token: RemoteTokenSpec) -> TokenSpec:
    """Return a claim as collateral: both haircuts of its token, and beside each what it may lose while it waits."""
    wait = remote.wait_haircut(token.volatility)
    return TokenSpec(
        symbol=token.symbol,
        name=token.name,
        decimals=token.decimals,
        haircut=token.haircut + wait,
        linked=token.linked,
        linked_haircut=token.linked_haircut + wait if token.linked else 0.0,
        ratio=token.ratio,
        deposit_cap=token.cap,
        outflow_share=token.outflow_share,
        outflow_daily=token.outflow_daily,
    )


def _liquidity_terms(tokens: tuple[TokenSpec, ...], entry: LiquiditySpec) -> TokenSpec:
    """Return liquidity as collateral: linked to what its base is linked to, worth what its source says."""
    base = next(token for token in tokens if token.symbol == entry.base)
    lower, upper = entry.prices(base.decimals - tokens[0].decimals)
    return TokenSpec(
        symbol=entry.symbol,
        name=entry.name,
        decimals=(base.decimals + tokens[0].decimals) // 2,
        haircut=entry.haircut,
        linked=base.linked,
        linked_haircut=entry.linked_haircut,
        ratio=0.0,
        deposit_cap=entry.deposit_cap,
        outflow_share=entry.outflow_share,
        outflow_daily=entry.outflow_daily,
        lower=lower,
        upper=upper,
    )


def _loan_terms(tokens: tuple[TokenSpec, ...], entry: LoanSpec) -> TokenSpec:
    """Return a loan as collateral: one token, all of which may leave at once, worth what its source says."""
    base = next(token for token in tokens if token.symbol == entry.base)
    return TokenSpec(
        symbol=entry.symbol,
        name=entry.name,
        decimals=DECIMALS,
        haircut=entry.haircut,
        linked=base.linked,
        linked_haircut=entry.linked_haircut,
        ratio=0.0,
        deposit_cap=WHOLE,
        outflow_share=1.0,
        outflow_daily=1.0,
    )


def _listing(source: str, table: Mapping[str, Any]) -> ListingSpec:
    """Read what may be traded: at least one kind, and none that does not exist."""
    listing = build_table(ListingSpec, source, table)
    if not 1 <= listing.kinds <= ALL_KINDS:
        raise InputError(source, f"kinds must be within 1 and {ALL_KINDS}, got {listing.kinds}")
    return listing


def _open_interest(
    source: str, tables: Mapping[str, Mapping[str, Any]], underlyings: list[str], listed: list[Kind]
) -> tuple[OpenInterestSpec, ...]:
    """Read the caps of every underlying; that one is not capped has to be said."""
    if sorted(tables) != sorted(underlyings):
        raise InputError(f"{source} [open_interest]", f"must name {', '.join(underlyings)}, got {', '.join(tables)}")
    return tuple(
        OpenInterestSpec(symbol, _caps(f"{source} [open_interest.{symbol}]", tables[symbol], listed))
        for symbol in underlyings
    )


def _caps(source: str, table: Mapping[str, Any], listed: list[Kind]) -> dict[Kind, float]:
    """Read the cap of every kind; one that may not be traded needs none."""
    words = {kind.word: kind for kind in Kind}
    check_table(source, table)
    for word, value in table.items():
        if word not in words:
            raise InputError(source, f"unknown key {word}")
        check_type(f"{source} {word}", "float", value)
        if not 0.0 <= value <= MAX_CAP:
            raise InputError(source, f"{word} must be within 0 and {MAX_CAP:g}")
    missing = [kind.word for kind in listed if kind.word not in table]
    if missing:
        raise InputError(source, f"{missing[0]} is missing")
    return {kind: float(table.get(word, 0.0)) for word, kind in words.items()}


def _rates(source: str, tables: Mapping[str, Mapping[str, Any]], symbols: set[str]) -> tuple[RateSpec, ...]:
    """Read where the ratios of tokens come from."""
    found = tuple(
        build_table(RateSpec, f"{source} [rates.{symbol}]", table, token=symbol) for symbol, table in tables.items()
    )
    for entry in found:
        if entry.token not in symbols:
            raise InputError(source, f"rates.{entry.token} is no listed token")
        if entry.form not in RATE_FORMS[1:]:
            raise InputError(f"{source} [rates.{entry.token}]", f"form must be one of {', '.join(RATE_FORMS[1:])}")
        _check_rate(f"{source} [rates.{entry.token}]", entry)
    return found


def _check_rate(source: str, entry: RateSpec) -> None:
    """Refuse before anything is sent what the contract would refuse in the middle of a deployment."""
    if not is_address(entry.source):
        raise InputError(source, f"source {entry.source!r} is no address")
    fall_gap = ("fall_gap_sec", 2, min(entry.gap_sec, 600))
    bounds = (("gap_sec", 60, 7 * DAY_SEC), fall_gap, ("max_rise", 0.0, 0.1), ("max_fall", 0.0, 0.5))
    for name, low, high in bounds:
        value = getattr(entry, name)
        if not low <= value <= high:
            raise InputError(source, f"{name} {value} is outside {low} to {high}")


def _range_rule(source: str, table: Mapping[str, Any]) -> RangeRuleSpec:
    """Read how ranges follow the market; refuse before anything is sent what the contract would refuse."""
    found = build_table(RangeRuleSpec, source, table)
    bounds = (
        *(("ceiling", 0.001, 0.5), ("multiple", 0.1, 18.0), ("kept", 0.5, 0.995)),
        *(("max_rise", 0.001, 0.1), ("max_fall", 0.001, 0.1)),
    )
    for name, low, high in bounds:
        value = getattr(found, name)
        if not low <= value <= high:
            raise InputError(source, f"{name} {value} is outside {low} to {high}")
    return found


def _check_claims(source: str, spec: Spec) -> None:
    """Refuse a claim under the name of another token, of the own chain, or of an underlying that is not listed."""
    if spec.remote is None:
        return
    if spec.remote.chain_id == spec.network.chain_id:
        raise InputError(source, f"chain_id {spec.remote.chain_id} is the chain of the deployment itself")
    own = {token.symbol for token in spec.tokens}
    for token in spec.remote.tokens:
        if token.symbol in own:
            raise InputError(source, f"tokens.{token.symbol} is a token of this chain already")
        if token.linked and token.linked not in spec.underlyings:
            raise InputError(source, f"tokens.{token.symbol}: linked {token.linked} is no listed underlying")


def _check_symbols(source: str, spec: Spec) -> None:
    """Refuse two tokens of one name in different sections."""
    symbols = [token.symbol for token in spec.listed]
    for symbol in symbols:
        if symbols.count(symbol) > 1:
            raise InputError(source, f"{symbol} names two tokens")


def _check_floors(source: str, spec: Spec) -> None:
    """Refuse a listed range above the ceiling: the rule asks for no less than it."""
    for symbol in spec.underlyings:
        floor = spec.params.for_underlying(symbol).price_range
        if floor > spec.range_rule.ceiling:
            raise InputError(source, f"ceiling {spec.range_rule.ceiling} is below the price range {floor} of {symbol}")


def _sections_of(network: str) -> tuple[str, dict[str, Any]]:
    """Read the file of a network; return what errors call it, and its sections."""
    is_path = network.endswith(".toml")
    source = network if is_path else f"{network}.toml"
    path = Path(network) if is_path else CONFIG / source
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as reason:
        known = ", ".join(sorted(p.stem for p in CONFIG.glob("*.toml")))
        raise InputError("--network", f"no configuration {network}; known: {known}") from reason
    except ValueError as reason:
        raise InputError(source, f"is not TOML: {reason}") from reason
    if set(document) - OPTIONAL_SECTIONS != SECTIONS:
        raise InputError(source, f"sections must be {', '.join(sorted(SECTIONS))}")
    for name, table in document.items():
        check_table(f"{source} [{name}]", table)
    return source, document


def _underlyings(source: str, table: Mapping[str, Any]) -> list[str]:
    """Read the symbols of what is listed."""
    symbols = table.get("symbols")
    if set(table) != {"symbols"} or not isinstance(symbols, list) or not all(isinstance(s, str) for s in symbols):
        raise InputError(f"{source} [underlyings]", 'must hold one key, as in symbols = ["ETH", "BTC"]')
    if not symbols or len(set(symbols)) < len(symbols):
        raise InputError(f"{source} [underlyings]", "symbols must name at least one underlying, each once")
    return symbols


def _network(source: str, table: Mapping[str, Any]) -> NetworkSpec:
    """Read which chain; a local one has the number of local chains."""
    found = build_table(NetworkSpec, f"{source} [network]", table)
    if found.is_local and found.chain_id != LOCAL_CHAIN_ID:
        raise InputError(source, f"is_local needs chain id {LOCAL_CHAIN_ID}, got {found.chain_id}")
    return found


def _tokens(source: str, tables: Mapping[str, Mapping[str, Any]]) -> tuple[TokenSpec, ...]:
    """Read the tokens, of which the first is the cash token."""
    found = tuple(
        build_table(TokenSpec, f"{source} [tokens.{symbol}]", table, symbol=symbol) for symbol, table in tables.items()
    )
    if not found or found[0].symbol != "USDC":
        raise InputError(source, "the first token must be USDC, the cash token")
    return found


def _aggregators(
    source: str, tables: Mapping[str, Mapping[str, Any]], underlyings: list[str]
) -> tuple[AggregatorSpec, ...]:
    """Read which price feeds of the chain are compared with the rounds of an underlying."""
    for symbol in tables:
        if symbol not in underlyings:
            raise InputError(source, f"aggregators.{symbol} is no listed underlying")
    return tuple(
        build_table(AggregatorSpec, f"{source} [aggregators.{symbol}]", table, underlying=symbol)
        for symbol, table in tables.items()
    )


def load_spec(network: str, params: Params) -> Spec:
    """Read the configuration of one network.

    Parameters
    ----------
    network : str
        Name of a file in ``offchain/plimsoll/config`` or a path ending in ``.toml``.
    params : Params
        Risk parameters.

    Returns
    -------
    Spec
        Without oracle signers.

    Raises
    ------
    InputError
        When the file is missing or holds anything unexpected.
    """
    source, document = _sections_of(network)
    underlyings = _underlyings(source, document["underlyings"])
    network_spec, tokens = _network(source, document["network"]), _tokens(source, document["tokens"])
    listing = _listing(f"{source} [listing]", document["listing"])
    spec = Spec(
        network=network_spec,
        oracle=build_table(OracleSpec, f"{source} [oracle]", document["oracle"]),
        tokens=tokens,
        underlyings=tuple(underlyings),
        params=params,
        funding=build_table(FundingSpec, f"{source} [funding]", document["funding"]),
        lending=build_table(LendingSpec, f"{source} [lending]", document["lending"]),
        listing=listing,
        aggregators=_aggregators(source, document.get("aggregators", {}), underlyings),
        open_interest=_open_interest(source, document["open_interest"], underlyings, listing.listed),
        rates=_rates(source, document.get("rates", {}), {token.symbol for token in tokens}),
        range_rule=_range_rule(f"{source} [range_rule]", document["range_rule"]),
        remote=read_remote(f"{source} [remote]", document.get("remote")),
        strategy=read_strategy(f"{source} [strategy]", document.get("strategy"), underlyings),
        liquidity=read_liquidity(f"{source} liquidity", document.get("liquidity", {}), tokens),
        loans=read_loans(f"{source} loans", document.get("loans", {}), tokens),
    )
    _check_claims(f"{source} [remote]", spec)
    _check_symbols(source, spec)
    _check_floors(f"{source} [range_rule]", spec)
    return spec


def _ends(token: Token) -> tuple[float, float]:
    """Prices between which a token's liquidity lies; 0 twice for one that is none."""
    return (0.0, 0.0) if token.span is None else (token.span.lower, token.span.upper)


def spec_for_market(market: Market, params: Params, signers: tuple[str, ...]) -> Spec:
    """Describe a local deployment that can price one market file.

    Parameters
    ----------
    market : Market
        Tokens, underlyings and their terms.
    params : Params
        Risk parameters.
    signers : tuple[str, ...]
        Oracle signers.

    Returns
    -------
    Spec
        Local, without deposit limits that could matter.
    """
    ordered = sorted(market.tokens, key=lambda symbol: (symbol != "USDC", symbol))
    tokens = tuple(
        TokenSpec(
            symbol=symbol,
            name=symbol,
            decimals=6 if symbol == "USDC" else CHECK_DECIMALS,
            haircut=market.tokens[symbol].haircut,
            linked=market.tokens[symbol].linked or "",
            linked_haircut=market.tokens[symbol].linked_haircut,
            ratio=market.tokens[symbol].ratio if market.tokens[symbol].span is None else 0.0,
            lower=_ends(market.tokens[symbol])[0],
            upper=_ends(market.tokens[symbol])[1],
        )
        for symbol in ordered
    )
    spec = Spec(
        network=NetworkSpec("check", True, 1, 0),
        oracle=OracleSpec(2, CHECK_HEARTBEAT_SEC, CHECK_MAX_MOVE, CHECK_MAX_MOVE),
        tokens=tokens,
        underlyings=tuple(sorted(market.rounds)),
        params=params,
    )
    return spec.with_signers(signers)
