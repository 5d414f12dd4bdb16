"""One deployment path for local chains and real networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from plimsoll.chain.abi import all_artifacts
from plimsoll.chain.book import rows_of
from plimsoll.chain.client import Client
from plimsoll.constants import CLEARING_ID, FUND_ID
from plimsoll.deployment.build import Build
from plimsoll.deployment.liquidity_spec import STIPEND_GAS, LiquiditySpec
from plimsoll.deployment.loan_spec import LoanSpec, loan_source, loan_words
from plimsoll.deployment.progress import Journal, digest_of
from plimsoll.deployment.record import Deployment, TokenRecord
from plimsoll.deployment.spec import RATE_FORMS, FundingSpec, LendingSpec, ListingSpec, RateSpec, Spec, TokenSpec
from plimsoll.deployment.strategy_spec import greek_terms, mandate_terms
from plimsoll.errors import InputError
from plimsoll.model import Kind
from plimsoll.params import AccountParams, UnderlyingParams
from plimsoll.units import float_to_raw, float_to_wad

ADMIN_ROLE, GUARDIAN_ROLE, DRAFT_ROLE, RATE_ROLE, CANCELLER_ROLE, RANGE_ROLE = 0, 1, 2, 3, 4, 5
MINTABLE_ERC20 = "LocalToken"
NOBODY = "0x" + "0" * 40
DUST_CASH = 10.0

# Contracts that may change balances.
MODULES = ("Vault", "Exchange", "Settlement", "PerpMarket", "InsuranceFund", "Auction", "Guarantees")
# What a preview of parameters may set on the draft of the book.
DRAFTED = ("setBook", "setAccountParams", "setCollateral")
# Contracts that the guardian may stop.
PAUSABLE = ("Oracle", "Vault", "Exchange", "Auction")

UNDERLYING_FIELDS = (
    *("price_range", "vol_up", "vol_down", "vol_floor", "basis_min", "basis_rate", "perp_basis"),
    *("vega_term_rate", "skew_rate", "short_min_rate", "conc_rate", "conc_vega_rate", "n0", "v0"),
)
ACCOUNT_FIELDS = (
    *("mm_factor", "im_factor", "peg_threshold", "peg_slope", "conf_threshold", "conf_rate", "stress_share"),
    *("debt_rate", "close_share", "buffer", "fee_rate", "bonus_share", "fund_per_hour"),
)


def contract_name(name: str) -> str:
    """Return the contract's name of a parameter.

    Parameters
    ----------
    name : str
        For example ``vol_up``.

    Returns
    -------
    str
        For example ``volUpWad``.
    """
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest) + "Wad"


def account_params(params: AccountParams) -> dict[str, int]:
    """Return the account's parameters as the scenario book keeps them.

    Parameters
    ----------
    params : AccountParams

    Returns
    -------
    dict of str to int
        Fields of ``IScenarioBook.AccountParams``, wad.
    """
    values = {contract_name(name): float_to_wad(getattr(params, name)) for name in ACCOUNT_FIELDS}
    return values | {"dustWad": float_to_wad(DUST_CASH)}


def underlying_params(params: UnderlyingParams) -> dict[str, int]:
    """Return the parameters of an underlying as the scenario book keeps them.

    Parameters
    ----------
    params : UnderlyingParams

    Returns
    -------
    dict of str to int
        Fields of ``IScenarioBook.UnderlyingParams``, wad.
    """
    return {contract_name(name): float_to_wad(getattr(params, name)) for name in UNDERLYING_FIELDS}


@dataclass(slots=True)
class _Install(Build):
    """An installation under way."""

    spec: Spec = field(kw_only=True)
    tokens: dict[str, TokenRecord] = field(default_factory=dict)
    underlyings: dict[str, int] = field(default_factory=dict)
    #: Tokens that the installation makes itself, by symbol: claims, liquidity and loans.
    made: dict[str, str] = field(default_factory=dict)

    def finish(self) -> Deployment:
        """Return the artefact."""
        return Deployment(
            network=self.spec.network.name,
            chain_id=self.client.chain_id,
            block=self.first_block,
            contracts={name: contract.address for name, contract in self.contracts.items()},
            tokens=dict(self.tokens),
            underlyings=dict(self.underlyings),
            parameters={**_parameters(self.spec), "roles": self.roles, "constructors": self.constructors},
        )


def _parameters(spec: Spec) -> dict[str, Any]:
    """Return the risk parameters as numbers, for the artefact."""
    return {
        "oracle": {"heartbeat_sec": spec.oracle.heartbeat_sec, "signer_threshold": spec.oracle.signer_threshold},
        "funding": asdict(spec.funding),
        "lending": asdict(spec.lending),
        "listing": asdict(spec.listing),
        "open_interest": {entry.underlying: asdict(entry) for entry in spec.open_interest},
        "range_rule": asdict(spec.range_rule),
        "rates": {entry.token: asdict(entry) for entry in spec.rates},
        "account": asdict(spec.params.account),
        "underlyings": {name: asdict(spec.params.for_underlying(name)) for name in spec.underlyings},
        "books": {name: asdict(spec.params.book_of(name)) for name in spec.underlyings},
        "collateral": {token.symbol: asdict(token) for token in spec.listed},
        "remote": None if spec.remote is None else asdict(spec.remote),
        "strategy": None if spec.strategy is None else asdict(spec.strategy),
    }


def _silent(_: str) -> None:
    return None


def _pricing(build: _Install, *, without_accounts: bool) -> None:
    """Deploy and configure what a margin number needs."""
    spec = build.spec
    authority = build.create("Authority", build.account.address)
    table = build.create("NormalTable")
    book = build.create("ScenarioBook", authority, account_params(spec.params.account))
    moves = float_to_wad(spec.oracle.max_move), float_to_wad(spec.oracle.max_variance_move)
    rates = build.create("RateFeed", authority, book)
    sources = build.create("SourceBook", authority)
    oracle = build.create("Oracle", authority, spec.oracle.heartbeat_sec, *moves)
    risk_engine = build.create("RiskEngine", book, oracle, table)
    build.send("Oracle", "setSigners", list(spec.oracle.signers), spec.oracle.signer_threshold)
    if spec.oracle.sequencer:
        build.send("Oracle", "setSequencer", spec.oracle.sequencer, spec.oracle.sequencer_grace_sec)
    for symbol in spec.underlyings:
        _list_underlying(build, symbol)
    for entry in spec.aggregators:
        number, limit = build.underlyings[entry.underlying], float_to_wad(entry.max_deviation)
        build.send("Oracle", "setAggregator", number, entry.feed, entry.max_age_sec, limit)
    # The clearing and the fund's account belong to the deployer until the fund takes them over.
    accounts = NOBODY if without_accounts else build.create("Accounts", authority, build.account.address)
    guarantees = NOBODY if without_accounts else build.create("Guarantees", authority, accounts)
    build.create("MarginEngine", accounts, oracle, book, risk_engine, rates, sources, guarantees)


def _list_underlying(build: _Install, symbol: str) -> None:
    """List one underlying with its parameters and rows."""
    values = underlying_params(build.spec.params.for_underlying(symbol))
    rows = rows_of(build.spec.params.book_of(symbol))
    build.send("ScenarioBook", "listUnderlying", symbol.encode().ljust(32, b"\0"), values, rows)
    build.underlyings[symbol] = len(build.underlyings) + 1


def _set_collateral(build: _Install, token: TokenSpec, token_id: int) -> None:
    """Set the collateral terms of one token."""
    terms = {
        "listed": True,
        "linkedUnderlying": build.underlyings[token.linked] if token.linked else 0,
        "haircutWad": float_to_wad(token.haircut),
        "linkedHaircutWad": float_to_wad(token.linked_haircut),
        "ratioWad": float_to_wad(token.ratio),
    }
    build.send("ScenarioBook", "setCollateral", token_id, terms)


def deploy_pricing(client: Client, account: LocalAccount, spec: Spec) -> Deployment:
    """Deploy only what ``evaluateDetailed`` needs: no ledger, no custody; tokens are terms without a contract.

    Parameters
    ----------
    client : Client
        Endpoint of a local chain.
    account : LocalAccount
        Deployer and governor.
    spec : Spec
        What to deploy.

    Returns
    -------
    Deployment
        Token addresses are zero.
    """
    build = _Install(client, account, spec.network.is_local, _silent, spec=spec)
    _pricing(build, without_accounts=True)
    for token_id, token in enumerate(spec.tokens):
        build.tokens[token.symbol] = TokenRecord(token_id, NOBODY, token.decimals)
        _set_collateral(build, token, token_id)
        if token.upper:
            roots = [round(Decimal(end).sqrt() * 10**27) for end in (token.lower, token.upper)]
            terms = source_terms(token, build.create_alone("LiquidityRange", *roots).address, STIPEND_GAS)
            build.send("SourceBook", "setSource", token_id, terms)
    return build.finish()


def _custody(build: _Install) -> None:
    """Deploy and connect everything that moves balances."""
    address = {name: contract.address for name, contract in build.contracts.items()}
    authority, accounts, engine = address["Authority"], address["Accounts"], address["MarginEngine"]
    vault = build.create("Vault", authority, accounts, engine)
    delegation = build.create("Delegation", accounts, engine)
    exchange = build.create("Exchange", authority, accounts, engine, delegation, address["Oracle"])
    build.create("Settlement", accounts, address["Oracle"])
    build.create("PerpMarket", authority, accounts, address["Oracle"])
    fund = build.create("InsuranceFund", authority, accounts, address["ScenarioBook"])
    auction = build.create("Auction", authority, accounts, engine, address["ScenarioBook"], fund, address["Guarantees"])
    build.create("Lens", accounts, address["Oracle"], auction)
    build.create("OrderPreview", accounts, engine, exchange)
    build.create("ActionPreview", accounts, engine, auction, vault)
    prior = _engine_of(build, "Prior", build.create("PriorBook", address["ScenarioBook"]))
    draft_book = build.create("DraftBook", authority, address["ScenarioBook"])
    draft = _engine_of(build, "Draft", draft_book)
    build.create("ParameterPreview", accounts, engine, draft_book, draft)
    # None of these is a module: two act for owners who approve them.
    build.create("Operators", accounts, vault)
    build.create("Intents", accounts, engine, exchange)
    build.create("RangeRule", authority, address["ScenarioBook"], address["Oracle"])
    build.create("PasskeyFactory")
    build.send("Auction", "setPriorMargin", prior)
    build.send("Vault", "setAuction", auction)
    if build.spec.network.grace_sec:
        build.send("ScenarioBook", "setGrace", build.spec.network.grace_sec)
    build.send("Accounts", "setMarginEngine", engine)
    for module in MODULES:
        build.send("Accounts", "setModule", build.contracts[module].address, True)
    build.send("InsuranceFund", "setAuction", auction)
    build.send("Guarantees", "connect", engine, auction)
    for reserved in (CLEARING_ID, FUND_ID):
        build.send("Accounts", "transferFrom", build.account.address, fund, reserved)


def rate_curve(lending: LendingSpec) -> dict[str, int]:
    """Return the curve of interest as the ledger keeps it.

    Parameters
    ----------
    lending : LendingSpec
        Fractions.

    Returns
    -------
    dict of str to int
        Rates and utilisation in steps of 1e-6, the reserve in basis points.
    """
    return {
        "baseRateE6": round(lending.base_rate * 10**6),
        "kinkE6": round(lending.kink * 10**6),
        "kinkRateE6": round(lending.kink_rate * 10**6),
        "fullRateE6": round(lending.full_rate * 10**6),
        "reserveBps": round(lending.reserve_share * 10**4),
        "maxUtilisationE6": round(lending.max_utilisation * 10**6),
    }


def outflow_terms(token: TokenSpec) -> dict[str, int]:
    """Return how much of a token may leave as the vault keeps it.

    Parameters
    ----------
    token : TokenSpec
        Fractions of what the vault holds.

    Returns
    -------
    dict of str to int
        Steps of 1e-6.
    """
    return {"shareE6": round(token.outflow_share * 10**6), "dailyE6": round(token.outflow_daily * 10**6)}


def listing_rules(listing: ListingSpec) -> dict[str, int]:
    """Return what may be traded as the exchange keeps it.

    Parameters
    ----------
    listing : ListingSpec
        Kinds, steps and the longest tenor.

    Returns
    -------
    dict of str to int
        The strike step in 1e-8 cash.
    """
    return {
        "kinds": listing.kinds,
        "expiryStepSec": listing.expiry_step_sec,
        "maxTenorSec": listing.max_tenor_sec,
        "strikeStepE8": round(listing.strike_step * 10**8),
    }


def funding_terms(funding: FundingSpec) -> dict[str, int]:
    """Return the terms of funding as the market of perpetuals keeps them.

    Parameters
    ----------
    funding : FundingSpec
        Largest premium as a fraction of spot, and the time over which a premium is paid once.

    Returns
    -------
    dict of str to int
        Premium in wad, time in seconds.
    """
    return {"maxPremiumWad": float_to_wad(funding.max_premium), "periodSec": funding.period_sec}


def range_terms(spec: Spec, symbol: str) -> dict[str, int]:
    """Return how the range of one underlying follows the market as the rule keeps it.

    Parameters
    ----------
    spec : Spec
        Configuration.
    symbol : str
        Underlying.

    Returns
    -------
    dict of str to int
        Wad.
    """
    floor = {"floorWad": float_to_wad(spec.params.for_underlying(symbol).price_range)}
    return floor | {contract_name(name): float_to_wad(value) for name, value in asdict(spec.range_rule).items()}


def rate_terms(rate: RateSpec) -> dict[str, Any]:
    """Return where a ratio comes from as the rate feed keeps it.

    Parameters
    ----------
    rate : RateSpec
        Source, form and bounds.

    Returns
    -------
    dict of str to Any
        Form by number, bounds in wad a day.
    """
    return {
        "source": to_checksum_address(rate.source),
        "form": RATE_FORMS.index(rate.form),
        "gapSec": rate.gap_sec,
        "fallGapSec": rate.fall_gap_sec,
        "maxRiseWad": float_to_wad(rate.max_rise),
        "maxFallWad": float_to_wad(rate.max_fall),
    }


def source_terms(token: TokenSpec, address: str, stipend_gas: int) -> dict[str, Any]:
    """Return who says what liquidity is worth, as the source book keeps it.

    Parameters
    ----------
    token : TokenSpec
        Liquidity of a range.
    address : str
        Its source.
    stipend_gas : int
        Gas of one answer.

    Returns
    -------
    dict of str to Any
        The ceiling is what one unit is worth above the range, and nowhere more.
    """
    most = math.ceil((math.sqrt(token.upper) - math.sqrt(token.lower)) * 10**6) + 1
    return {"source": address, "stipendGas": stipend_gas, "ceilingE6": min(most, 2**64 - 1)}


def caps_of(spec: Spec, symbol: str) -> dict[Kind, int]:
    """Return the caps on open interest of one underlying as the ledger keeps them.

    Parameters
    ----------
    spec : Spec
        Configuration.
    symbol : str
        Underlying.

    Returns
    -------
    dict of Kind to int
        Wad a series; 0 for no cap.
    """
    entry = next((entry for entry in spec.open_interest if entry.underlying == symbol), None)
    return {kind: float_to_wad(entry.caps[kind] if entry else 0.0) for kind in Kind}


def _list_instruments(build: _Install) -> None:
    """Set what may be traded of every underlying and how much of it, and the terms of its funding and its range."""
    for underlying_id in build.underlyings.values():
        build.send("Exchange", "setRules", underlying_id, listing_rules(build.spec.listing))
        build.send("PerpMarket", "setTerms", underlying_id, funding_terms(build.spec.funding))
    for symbol, underlying_id in build.underlyings.items():
        build.send("RangeRule", "setTerms", underlying_id, range_terms(build.spec, symbol))
        for kind, cap_wad in caps_of(build.spec, symbol).items():
            if cap_wad:
                build.send("Accounts", "setOpenInterestCap", underlying_id, kind, cap_wad)


def _engine_of(build: _Install, which: str, book: str) -> str:
    """Deploy risk and margin engine a second time, bound to a stand-in for the scenario book."""
    address = {name: contract.address for name, contract in build.contracts.items()}
    risk = build.create(f"{which}RiskEngine", book, address["Oracle"], address["NormalTable"])
    parts = address["Accounts"], address["Oracle"], book, risk, address["RateFeed"], address["SourceBook"]
    return build.create(f"{which}MarginEngine", *parts, address["Guarantees"])


def _remote(build: _Install) -> None:
    """Deploy what takes headers and proofs of the other chain, and a claim to each token that waits there."""
    remote = build.spec.remote
    if remote is None:
        return
    authority = build.contracts["Authority"].address
    feed = build.create("HeaderFeed", authority, remote.chain_id)
    build.create("RemoteClaims", authority, feed, to_checksum_address(remote.escrow))
    build.send("HeaderFeed", "setSigners", list(remote.signers), remote.signer_threshold)
    for token in remote.tokens:
        cap_raw = float_to_raw(token.cap, token.decimals)
        build.send("RemoteClaims", "listClaim", token.token, token.name, token.symbol, token.decimals, cap_raw)
        build.made[token.symbol], _ = build.contracts["RemoteClaims"].call("claimOf", token.token)


def _create_liquidity(build: _Install, entry: LiquiditySpec) -> str:
    """Deploy the token of one range of a pool."""
    cash = build.tokens[build.spec.tokens[0].symbol].address
    addresses = [to_checksum_address(a) for a in (entry.factory, entry.pool, entry.positions, cash)]
    words = (*addresses, entry.tick_lower, entry.tick_upper)
    return build.create_alone("LiquidityToken", entry.name, entry.symbol, words).address


def _create_loan(build: _Install, entry: LoanSpec) -> str:
    """Deploy the contract of one loan, with all its shares its holder's."""
    addresses = {name: contract.address for name, contract in build.contracts.items()}
    known = addresses | {symbol: record.address for symbol, record in build.tokens.items()}
    return build.create_alone("MorphoPosition", *loan_words(entry, build.spec.tokens, known)).address


def _strategy(build: _Install) -> None:
    """Deploy a strategy vault without a trader key, and what closes its positions when it is stopped."""
    spec = build.spec.strategy
    if spec is None:
        return
    address = {name: contract.address for name, contract in build.contracts.items()}
    closer = build.create("StrategyCloser", address["Accounts"], address["Exchange"])
    parts = strategy_parts({**address, "StrategyCloser": closer})
    limits = greek_terms(spec, build.underlyings)
    build.create("StrategyVault", spec.name, spec.symbol, parts, mandate_terms(spec), limits)


def strategy_parts(address: Mapping[str, str]) -> dict[str, str]:
    """Return the contracts that a strategy vault knows.

    Parameters
    ----------
    address : Mapping[str, str]
        Addresses by name.

    Returns
    -------
    dict of str to str
        ``IStrategyVault.Protocol``.
    """
    names = ("Authority", "Accounts", "Vault", "MarginEngine", "Oracle", "Delegation")
    known = {name[0].lower() + name[1:]: address[name] for name in names}
    return {**known, "closer": address["StrategyCloser"]}


def _list_tokens(build: _Install) -> None:
    """List every token in the vault with its collateral terms; on a local chain deploy tokens that anyone may mint."""
    ranges = {entry.symbol: entry for entry in build.spec.liquidity}
    loans = {entry.symbol: entry for entry in build.spec.loans}
    for token_id, token in enumerate(build.spec.listed):
        if token.symbol in ranges:
            build.made[token.symbol] = _create_liquidity(build, ranges[token.symbol])
        elif token.symbol in loans:
            build.made[token.symbol] = _create_loan(build, loans[token.symbol])
        address = token.address or build.made.get(token.symbol, "")
        if not address:
            if not build.spec.network.is_local:
                raise InputError(
                    f"tokens.{token.symbol}", "address is missing; only a local chain gets tokens of its own"
                )
            address = build.create_alone(MINTABLE_ERC20, token.name, token.symbol, token.decimals).address
        build.send("Vault", "listToken", address, float_to_raw(token.deposit_cap, token.decimals))
        build.send("Vault", "setOutflow", token_id, *outflow_terms(token).values())
        build.tokens[token.symbol] = TokenRecord(token_id, address, token.decimals)
        _set_collateral(build, token, token_id)
    for rate in build.spec.rates:
        build.send("RateFeed", "setSource", build.tokens[rate.token].token_id, rate_terms(rate))
    terms = {token.symbol: token for token in build.spec.listed}
    for entry in build.spec.liquidity:
        record = build.tokens[entry.symbol]
        chosen = source_terms(terms[entry.symbol], record.address, entry.stipend_gas)
        build.send("SourceBook", "setSource", record.token_id, chosen)
    for loan in build.spec.loans:
        record = build.tokens[loan.symbol]
        build.send("SourceBook", "setSource", record.token_id, loan_source(loan, record.address))


def _hand_over(build: _Install, guardian: str, governor: str, cancellers: Sequence[str]) -> None:
    """Let the guardian pause and cancellers cancel; give governance to its holder behind the configured delay."""
    people = {"deployer": build.account.address, "guardian": guardian, "governor": governor}
    build.roles = {**people, "cancellers": list(cancellers)}
    for canceller in cancellers:
        build.send("Authority", "grantRole", CANCELLER_ROLE, canceller, 0)
    build.send("Authority", "grantRole", GUARDIAN_ROLE, guardian, 0)
    for name in PAUSABLE:
        selector = build.contracts[name].artifact.functions["pause"].selector
        build.send("Authority", "setTargetFunctionRole", build.contracts[name].address, [selector], GUARDIAN_ROLE)
    pause_instrument = build.contracts["Exchange"].artifact.functions["pauseInstrument"].selector
    exchange = build.contracts["Exchange"].address
    build.send("Authority", "setTargetFunctionRole", exchange, [pause_instrument], GUARDIAN_ROLE)
    if "StrategyVault" in build.contracts:
        vault = build.contracts["StrategyVault"]
        halt = vault.artifact.functions["halt"].selector
        build.send("Authority", "setTargetFunctionRole", vault.address, [halt], GUARDIAN_ROLE)
    draft = build.contracts["DraftBook"]
    selectors = [draft.artifact.functions[name].selector for name in DRAFTED]
    build.send("Authority", "setTargetFunctionRole", draft.address, selectors, DRAFT_ROLE)
    build.send("Authority", "grantRole", DRAFT_ROLE, build.contracts["ParameterPreview"].address, 0)
    book = build.contracts["ScenarioBook"]
    for function, role, holder in (("setRatio", RATE_ROLE, "RateFeed"), ("setRange", RANGE_ROLE, "RangeRule")):
        selector = book.artifact.functions[function].selector
        build.send("Authority", "setTargetFunctionRole", book.address, [selector], role)
        build.send("Authority", "grantRole", role, build.contracts[holder].address, 0)
    if governor != build.account.address:
        build.send("Authority", "grantRole", ADMIN_ROLE, governor, build.spec.network.governor_delay_sec)
        build.send("Authority", "renounceRole", ADMIN_ROLE, build.account.address)


def wrong_chain(spec: Spec, client: Client) -> str:
    """Say that configuration and node are of different chains.

    Parameters
    ----------
    spec : Spec
        Configuration.
    client : Client
        Endpoint.

    Returns
    -------
    str
        Both ids.
    """
    return f"{spec.network.name} has chain id {spec.network.chain_id}, the node {client.chain_id}"


def deploy(
    client: Client,
    account: LocalAccount,
    spec: Spec,
    *,
    guardian: str = "",
    governor: str = "",
    cancellers: Sequence[str] = (),
    report: Callable[[str], None] = _silent,
    part: Path | None = None,
) -> Deployment:
    """Deploy and configure a whole installation, or go on with one that was interrupted.

    Parameters
    ----------
    client : Client
        Endpoint.
    account : LocalAccount
        Deployer; it governs until the governor takes over.
    spec : Spec
        What to deploy.
    guardian : str
        Address that may pause; the deployer when empty.
    governor : str
        Address that gets the admin role behind the configured delay; the deployer keeps it when empty.
    cancellers : Sequence[str]
        Addresses that may cancel what is scheduled; the deployer when empty. With two neither can be removed unheard.
    report : Callable[[str], None]
        Told the name of every contract.
    part : Path, optional
        Where progress is kept; an interrupted run goes on from there and sends nothing twice. The caller removes it
        once the artefact is written. Without it an interrupted run starts afresh.

    Returns
    -------
    Deployment
        Addresses, ids and parameters.

    Raises
    ------
    InputError
        When the configuration names another chain, no signers, or lacks a token address, or ``part`` is of another one.
    RevertError
        When a contract refuses its configuration.
    """
    if client.chain_id != spec.network.chain_id:
        raise InputError("--network", wrong_chain(spec, client))
    if len(spec.oracle.signers) < spec.oracle.signer_threshold:
        raise InputError(
            "--signer", f"{len(spec.oracle.signers)} given, the threshold is {spec.oracle.signer_threshold}"
        )
    if spec.remote is not None and not spec.remote.escrow:
        raise InputError("remote.escrow", "is missing; `plimsoll deploy-escrow` deploys it and says its address")
    build = _Install(client, account, spec.network.is_local, report, spec=spec)
    guardian, governor = guardian or account.address, governor or account.address
    cancellers = cancellers or (account.address,)
    if part is not None:
        codes = [(artifact.name, artifact.bytecode) for artifact in all_artifacts()]
        build.journal = Journal(part, client, account, digest_of(spec, guardian, governor, cancellers, codes))
    _pricing(build, without_accounts=False)
    _custody(build)
    _remote(build)
    _list_tokens(build)
    _list_instruments(build)
    _strategy(build)
    build.send("Accounts", "setRateCurve", rate_curve(build.spec.lending))
    _hand_over(build, guardian, governor, cancellers)
    return build.finish()
