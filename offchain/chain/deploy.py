"""One deployment path for local chains and real networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from eth_account.signers.local import LocalAccount

from offchain.chain.client import Client, Receipt
from offchain.chain.contracts import LOCAL_GAS, Contract, create
from offchain.chain.deployment import Deployment, TokenRecord
from offchain.chain.spec import Spec, TokenSpec
from offchain.errors import InputError
from offchain.units import float_to_raw, float_to_wad

ADMIN_ROLE, GUARDIAN_ROLE = 0, 1
CLEARING_ID, FUND_ID = 0, 1
MOCK_ERC20 = "MockToken"
NOBODY = "0x" + "0" * 40
DUST_CASH = 10.0

# Contracts that the guardian may stop.
PAUSABLE = ("Oracle", "Vault", "Exchange", "Auction")

UNDERLYING_FIELDS = (
    *("price_range", "vol_up", "vol_down", "vol_floor", "basis_min", "basis_rate", "perp_basis"),
    *("vega_term_rate", "short_min_rate", "conc_rate", "conc_vega_rate", "n0", "v0"),
)
ACCOUNT_FIELDS = (
    *("mm_factor", "im_factor", "peg_threshold", "peg_slope", "conf_threshold", "conf_rate"),
    *("rho_high", "rho_low", "stress_share", "buffer", "fee_rate"),
)


def _camel(name: str) -> str:
    """Return the contract's name of a parameter: ``vol_up`` becomes ``volUpWad``."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest) + "Wad"


@dataclass(slots=True)
class _Build:
    """A deployment under way."""

    client: Client
    account: LocalAccount
    spec: Spec
    report: Callable[[str], None]
    contracts: dict[str, Contract] = field(default_factory=dict)
    tokens: dict[str, TokenRecord] = field(default_factory=dict)
    underlyings: dict[str, int] = field(default_factory=dict)
    first_block: int = 0
    guardian: str = ""

    @property
    def gas(self) -> int | None:
        """Fixed on a local chain, estimated elsewhere."""
        return LOCAL_GAS if self.spec.network.is_local else None

    def create(self, name: str, *values: Any) -> str:
        """Deploy one contract and remember it."""
        self.report(name)
        contract, receipt = create(self.client, self.account, name, *values, gas=self.gas)
        self.contracts[name] = contract
        self.first_block = self.first_block or receipt.block_number
        return contract.address

    def send(self, name: str, function: str, *values: Any) -> Receipt:
        """Configure one contract."""
        return self.contracts[name].send(self.account, function, *values, gas=self.gas)

    def finish(self) -> Deployment:
        """Return the artefact."""
        return Deployment(
            network=self.spec.network.name,
            chain_id=self.client.chain_id,
            block=self.first_block,
            contracts={name: contract.address for name, contract in self.contracts.items()},
            tokens=dict(self.tokens),
            underlyings=dict(self.underlyings),
            parameters=_parameters(self.spec),
        )


def _parameters(spec: Spec) -> dict[str, Any]:
    """Return the risk parameters as numbers, for the artefact."""
    return {
        "book": spec.params.book,
        "oracle": {"heartbeat_sec": spec.oracle.heartbeat_sec, "signer_threshold": spec.oracle.signer_threshold},
        "funding": asdict(spec.funding),
        "lending": asdict(spec.lending),
        "listing": asdict(spec.listing),
        "account": asdict(spec.params.account),
        "underlyings": {name: asdict(spec.params.for_underlying(name)) for name in spec.underlyings},
        "collateral": {token.symbol: asdict(token) for token in spec.tokens},
    }


def _silent(_: str) -> None:
    return None


def _pricing(build: _Build, *, without_accounts: bool) -> None:
    """Deploy and configure what a margin number needs."""
    spec = build.spec
    authority = build.create("Authority", build.account.address)
    account_params = {_camel(name): float_to_wad(getattr(spec.params.account, name)) for name in ACCOUNT_FIELDS}
    table = build.create("NormalTable")
    book = build.create("ScenarioBook", authority, table, {**account_params, "dustWad": float_to_wad(DUST_CASH)})
    oracle = build.create("Oracle", authority, spec.oracle.heartbeat_sec, float_to_wad(spec.oracle.max_deviation))
    risk_engine = build.create("RiskEngine", book, oracle)
    build.send("Oracle", "setSigners", list(spec.oracle.signers), spec.oracle.signer_threshold)
    for symbol in spec.underlyings:
        _list_underlying(build, symbol)
    # The clearing and the fund's account belong to the deployer until the fund takes them over.
    accounts = NOBODY if without_accounts else build.create("Accounts", authority, build.account.address)
    build.create("MarginEngine", accounts, oracle, book, risk_engine)


def _list_underlying(build: _Build, symbol: str) -> None:
    """List one underlying with its parameters and rows."""
    own = build.spec.params.for_underlying(symbol)
    values = {_camel(name): float_to_wad(getattr(own, name)) for name in UNDERLYING_FIELDS}
    rows_of = "spanRows" if build.spec.params.book == "span" else "defaultRows"
    rows = build.contracts["ScenarioBook"].call(rows_of, values["priceRangeWad"])
    build.send("ScenarioBook", "listUnderlying", symbol.encode().ljust(32, b"\0"), values, rows)
    build.underlyings[symbol] = len(build.underlyings) + 1


def _set_collateral(build: _Build, token: TokenSpec, token_id: int) -> None:
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
    build = _Build(client, account, spec, _silent)
    _pricing(build, without_accounts=True)
    for token_id, token in enumerate(spec.tokens):
        build.tokens[token.symbol] = TokenRecord(token_id, NOBODY, token.decimals)
        _set_collateral(build, token, token_id)
    return build.finish()


def _custody(build: _Build) -> None:
    """Deploy and connect everything that moves balances."""
    address = {name: contract.address for name, contract in build.contracts.items()}
    authority, accounts, engine = address["Authority"], address["Accounts"], address["MarginEngine"]
    vault = build.create("Vault", authority, accounts, engine)
    delegation = build.create("Delegation", accounts, engine)
    exchange = build.create("Exchange", authority, accounts, engine, delegation)
    settlement = build.create("Settlement", accounts, address["Oracle"])
    perp_market = build.create("PerpMarket", authority, accounts, address["Oracle"])
    fund = build.create("InsuranceFund", authority, accounts)
    auction = build.create("Auction", authority, accounts, engine, address["ScenarioBook"], fund)
    build.create("Lens", accounts, address["Oracle"], auction)
    build.create("OrderPreview", accounts, engine, exchange)
    build.send("Accounts", "setMarginEngine", engine)
    for module in (vault, exchange, settlement, perp_market, fund, auction):
        build.send("Accounts", "setModule", module, True)
    build.send("InsuranceFund", "setAuction", auction)
    for reserved in (CLEARING_ID, FUND_ID):
        build.send("Accounts", "transferFrom", build.account.address, fund, reserved)


def _set_rates(build: _Build) -> None:
    """Set the curve of interest; rates and utilisation on chain are in steps of 1e-6, the reserve in basis points."""
    lending = build.spec.lending
    curve = {
        "baseRateE6": round(lending.base_rate * 10**6),
        "kinkE6": round(lending.kink * 10**6),
        "kinkRateE6": round(lending.kink_rate * 10**6),
        "fullRateE6": round(lending.full_rate * 10**6),
        "reserveBps": round(lending.reserve_share * 10**4),
    }
    build.send("Accounts", "setRateCurve", curve)


def _list_instruments(build: _Build) -> None:
    """Set what may be traded of every underlying, and the terms of its funding."""
    listing, funding = build.spec.listing, build.spec.funding
    rules = {
        "kinds": listing.kinds,
        "expiryStepSec": listing.expiry_step_sec,
        "maxTenorSec": listing.max_tenor_sec,
        "strikeStepE8": round(listing.strike_step * 10**8),
    }
    terms = {"maxPremiumWad": float_to_wad(funding.max_premium), "periodSec": funding.period_sec}
    for underlying_id in build.underlyings.values():
        build.send("Exchange", "setRules", underlying_id, rules)
        build.send("PerpMarket", "setTerms", underlying_id, terms)


def _list_tokens(build: _Build) -> None:
    """List every token in the vault with its collateral terms; on a local chain deploy mocks."""
    for token_id, token in enumerate(build.spec.tokens):
        address = token.address
        if not address:
            if not build.spec.network.is_local:
                raise InputError(f"tokens.{token.symbol}", "address is missing; mocks exist on local chains only")
            address = create(build.client, build.account, MOCK_ERC20, token.name, token.symbol, token.decimals)[
                0
            ].address
        build.send("Vault", "listToken", address, float_to_raw(token.deposit_cap, token.decimals))
        build.tokens[token.symbol] = TokenRecord(token_id, address, token.decimals)
        _set_collateral(build, token, token_id)


def _hand_over(build: _Build, guardian: str, governor: str) -> None:
    """Let the guardian pause, and give governance to its holder behind the configured delay."""
    manager = build.contracts["Authority"]
    build.send("Authority", "grantRole", GUARDIAN_ROLE, guardian, 0)
    for name in PAUSABLE:
        selector = build.contracts[name].artifact.functions["pause"].selector
        build.send("Authority", "setTargetFunctionRole", build.contracts[name].address, [selector], GUARDIAN_ROLE)
    pause_instrument = build.contracts["Exchange"].artifact.functions["pauseInstrument"].selector
    exchange = build.contracts["Exchange"].address
    build.send("Authority", "setTargetFunctionRole", exchange, [pause_instrument], GUARDIAN_ROLE)
    if governor != build.account.address:
        build.send("Authority", "grantRole", ADMIN_ROLE, governor, build.spec.network.governor_delay_sec)
        manager.send(build.account, "renounceRole", ADMIN_ROLE, build.account.address, gas=build.gas)


def deploy(
    client: Client,
    account: LocalAccount,
    spec: Spec,
    *,
    guardian: str = "",
    governor: str = "",
    report: Callable[[str], None] = _silent,
) -> Deployment:
    """Deploy and configure a whole installation.

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
    report : Callable[[str], None]
        Told the name of every contract.

    Returns
    -------
    Deployment
        Addresses, ids and parameters.

    Raises
    ------
    InputError
        When the configuration names another chain, no signers, or lacks a token address.
    RevertError
        When a contract refuses its configuration.
    """
    if client.chain_id != spec.network.chain_id:
        raise InputError(
            "--network", f"{spec.network.name} has chain id {spec.network.chain_id}, the node {client.chain_id}"
        )
    if len(spec.oracle.signers) < spec.oracle.signer_threshold:
        raise InputError(
            "--signer", f"{len(spec.oracle.signers)} given, the threshold is {spec.oracle.signer_threshold}"
        )
    build = _Build(client, account, spec, report)
    _pricing(build, without_accounts=False)
    _custody(build)
    _list_tokens(build)
    _list_instruments(build)
    _set_rates(build)
    _hand_over(build, guardian or account.address, governor or account.address)
    return build.finish()
