"""Compare an installation with its configuration, parameter by parameter; nothing is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from plimsoll.chain.abi import constructor_values, decode_event, load_artifact
from plimsoll.chain.book import plain_rows, rows_of
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract, creation_address
from plimsoll.chain.revert import RevertError
from plimsoll.chain.words import Word, pack
from plimsoll.deployment.asked import asked_by
from plimsoll.deployment.deploy import (
    ACCOUNT_FIELDS,
    ADMIN_ROLE,
    CANCELLER_ROLE,
    DRAFT_ROLE,
    DRAFTED,
    DUST_CASH,
    GUARDIAN_ROLE,
    MODULES,
    NOBODY,
    PAUSABLE,
    RANGE_ROLE,
    RATE_ROLE,
    UNDERLYING_FIELDS,
    caps_of,
    contract_name,
    funding_terms,
    listing_rules,
    outflow_terms,
    range_terms,
    rate_curve,
    rate_terms,
    source_terms,
)
from plimsoll.deployment.escrow import EscrowRecord, remote_of
from plimsoll.deployment.liquidity_spec import LiquiditySpec
from plimsoll.deployment.loan_spec import LoanSpec, loan_source, loan_words
from plimsoll.deployment.record import Deployment, artifact_name
from plimsoll.deployment.remote_spec import RemoteSpec
from plimsoll.deployment.spec import Spec
from plimsoll.deployment.strategy_spec import greek_terms, mandate_terms
from plimsoll.errors import InputError
from plimsoll.units import float_to_raw, float_to_wad

NOTHING = "nothing"
DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One parameter that is not as configured."""

    name: str
    on_chain: Any
    configured: Any

    def __str__(self) -> str:
        return f"{self.name}: chain {self.on_chain}, configuration {self.configured}"


@dataclass(frozen=True, slots=True)
class _Seen:
    """The installation as it is read."""

    client: Client
    deployment: Deployment
    spec: Spec

    def of(self, name: str) -> Contract:
        return self.deployment.contract(self.client, name)

    def named(self, address: str) -> str:
        """Name of an address of the installation, or the address itself."""
        names = {there.lower(): name for name, there in self.deployment.contracts.items()}
        return names.get(address.lower(), address)

    def events(self, name: str) -> list[tuple[str, SimpleNamespace]]:
        """Every event of one contract since the deployment, in order."""
        contract = self.of(name)
        wanted = {"address": contract.address, "fromBlock": hex(self.deployment.block), "toBlock": "latest"}
        logs = self.client.rpc("eth_getLogs", wanted)
        known = contract.artifact.events
        return [decode_event(known[log["topics"][0]], log) for log in logs if log["topics"][0] in known]


def verify(client: Client, deployment: Deployment, spec: Spec) -> list[Difference]:
    """Read every parameter of an installation and compare it with the configuration.

    Parameters
    ----------
    client : Client
        Endpoint.
    deployment : Deployment
        Artefact.
    spec : Spec
        Configuration, with signers.

    Returns
    -------
    list[Difference]
        Empty when all is as configured.

    Raises
    ------
    InputError
        When the artefact lacks a contract.
    """
    seen = _Seen(client, deployment, spec)
    needed = {"Authority", *PAUSABLE, *MODULES, "Delegation", "Operators", "Intents", "Lens"}
    needed |= {"RateFeed", "SourceBook", "RangeRule", "PasskeyFactory", "Guarantees"}
    needed |= {"HeaderFeed", "RemoteClaims"} if spec.remote is not None else set()
    needed |= {"StrategyVault", "StrategyCloser"} if spec.strategy is not None else set()
    missing = needed - set(deployment.contracts)
    if missing:
        raise InputError("deployment", f"lacks {', '.join(sorted(missing))}")
    codeless = _codeless(seen)
    if codeless:
        return codeless
    found = []
    pricing = (_codes, _asked, _oracle, _book, _ranges, _collateral, _rates, _sources, _tokens, _markets)
    for part in (*pricing, _wiring, _roles, _remote, _strategy):
        found += [Difference(*entry) for entry in part(seen) if entry[1] != entry[2]]
    return found


def verify_escrow(client: Client, record: EscrowRecord, spec: Spec, home: Deployment | None) -> list[Difference]:
    """Read every parameter of an escrow and compare it with the configuration of its home chain.

    Parameters
    ----------
    client : Client
        Endpoint of the escrow's chain.
    record : EscrowRecord
        Where it lives.
    spec : Spec
        Configuration of the home chain.
    home : Deployment or None
        Installation whose redemptions it takes; ``None`` does not look at that.

    Returns
    -------
    list[Difference]
        Empty when all is as configured.

    Raises
    ------
    InputError
        When the configuration has no other chain, or the node is not of it.
    """
    remote = remote_of(spec, client)
    seen = _Seen(client, record.as_deployment(), spec)
    codeless = _codeless(seen)
    if codeless:
        return codeless
    there = str(seen.of("RemoteEscrow").call("home")).lower()
    claims = there if home is None else home.contracts.get("RemoteClaims", NOBODY).lower()
    entries = [
        *_codes(seen),
        *_asked(seen),
        *_attested(seen, spec.network.chain_id, remote),
        ("RemoteEscrow.home", there, claims),
        *_role_holders(seen, {}),
        *_closed(seen),
    ]
    return [Difference(*entry) for entry in entries if entry[1] != entry[2]]


def _codeless(seen: _Seen) -> list[Difference]:
    return [
        Difference(f"{name}.code", NOTHING, "code")
        for name, address in seen.deployment.contracts.items()
        if seen.client.rpc("eth_getCode", address, "latest") == "0x"
    ]


def _codes(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    """Create every contract once more in a call, and compare what would stand there, immutables included."""
    client, parameters = seen.client, seen.deployment.parameters
    deployer = parameters["roles"]["deployer"]
    nonce = int(client.rpc("eth_getTransactionCount", deployer, "latest"), 16)
    elsewhere = creation_address(deployer, nonce)
    for name, address in seen.deployment.contracts.items():
        creation = load_artifact(artifact_name(name)).bytecode.hex() + parameters["constructors"][name]
        built = client.rpc("eth_call", {"from": deployer, "data": f"0x{creation}"}, "latest")
        for old, new in _moved(seen, name, elsewhere, address):
            built = built.replace(old, new)
        there = client.rpc("eth_getCode", address, "latest")
        yield f"{name}.code", _short(there), _short(built)


def _asked(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    """Whom every contract asks. Its code alone says no more than that the record is true to it."""
    contracts, constructors = seen.deployment.contracts, seen.deployment.parameters["constructors"]
    for name in contracts:
        for key, address, wanted in asked_by(name, bytes.fromhex(constructors[name]), contracts):
            yield f"{name}.{key}", seen.named(address), wanted


def _moved(seen: _Seen, name: str, old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield what a contract keeps of its own address: itself, its first child, its signing domain."""
    if "eip712Domain" in seen.of(name).artifact.functions:
        domain = seen.of(name).call("eip712Domain")
        yield _separator(domain, old), _separator(domain, new)
    yield old[2:].lower(), new[2:].lower()
    yield creation_address(old, 1)[2:].lower(), creation_address(new, 1)[2:].lower()


def _short(code: str) -> str:
    return "0x" + keccak(hexstr=code).hex()[:16]


def _separator(domain: Any, address: str) -> str:
    _, name, version, chain_id, *_ = domain
    values = [keccak(text=DOMAIN), keccak(text=name), keccak(text=version), chain_id, address]
    return keccak(encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], values)).hex()


def _oracle(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    oracle, spec = seen.of("Oracle"), seen.spec.oracle
    yield "oracle.heartbeat_sec", oracle.call("heartbeatSec"), spec.heartbeat_sec
    yield "oracle.max_move", oracle.call("maxMoveWad"), float_to_wad(spec.max_move)
    yield "oracle.max_variance_move", oracle.call("maxVarianceMoveWad"), float_to_wad(spec.max_variance_move)
    yield "oracle.signer_threshold", oracle.call("threshold"), spec.signer_threshold
    signers = [values.signers for name, values in seen.events("Oracle") if name == "SignersSet"]
    yield "oracle.signers", [s.lower() for s in signers[-1]], [s.lower() for s in spec.signers]
    feed, grace = oracle.call("sequencer")
    yield "oracle.sequencer", feed.lower(), (spec.sequencer or NOBODY).lower()
    yield "oracle.sequencer_grace_sec", grace, spec.sequencer_grace_sec
    wanted = {entry.underlying: entry for entry in seen.spec.aggregators}
    for symbol, number in seen.deployment.underlyings.items():
        entry = wanted.get(symbol)
        configured = (entry.feed.lower(), entry.max_age_sec, float_to_wad(entry.max_deviation)) if entry else None
        there = oracle.call("aggregatorOf", number)
        yield f"aggregators.{symbol}", (there[0].lower(), *there[1:]), configured or (NOBODY, 0, 0)


def _book(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    book, spec = seen.of("ScenarioBook"), seen.spec
    listed = [book.call("symbolOf", n + 1).rstrip(b"\0").decode() for n in range(book.call("underlyingCount"))]
    yield "underlyings", listed, list(spec.underlyings)
    there = vars(book.call("accountParams"))
    for name in ACCOUNT_FIELDS:
        key = contract_name(name)
        yield f"account.{key}", there[key], float_to_wad(getattr(spec.params.account, name))
    yield "account.dustWad", there["dustWad"], float_to_wad(DUST_CASH)
    yield "network.grace_sec", book.call("graceSec"), spec.network.grace_sec
    ruled = _ruled_ranges(seen)
    for number, symbol in enumerate(listed, 1):
        if symbol not in spec.underlyings:
            continue
        own, stored = spec.params.for_underlying(symbol), book.call("bookOf", number)
        params, rows = vars(stored.params), plain_rows(stored.rows)
        for name in UNDERLYING_FIELDS:
            key = contract_name(name)
            wanted = float_to_wad(getattr(own, name))
            followed = key == "priceRangeWad" and params[key] == ruled.get(number)
            yield f"underlyings.{symbol}.{key}", params[key], params[key] if followed else wanted
        for key, value in rows_of(spec.params.book_of(symbol)).items():
            yield f"underlyings.{symbol}.rows.{key}", rows[key], value


def _ruled_ranges(seen: _Seen) -> dict[int, int]:
    """Ranges as the rule last left them."""
    observed = [values for name, values in seen.events("RangeRule") if name == "RangeObserved"]
    return {values.underlyingId: values.rangeWad for values in observed}


def _ranges(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    """How the range of every underlying follows the market."""
    for symbol, number in seen.deployment.underlyings.items():
        there = vars(seen.of("RangeRule").call("termsOf", number))
        for key, value in range_terms(seen.spec, symbol).items():
            yield f"range_rule.{symbol}.{key}", there[key], value


def _collateral(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    book, moved = seen.of("ScenarioBook"), _moved_ratios(seen)
    for token_id, token in enumerate(seen.spec.listed):
        wanted = {
            "listed": True,
            "linkedUnderlying": seen.deployment.underlyings[token.linked] if token.linked else 0,
            "haircutWad": float_to_wad(token.haircut),
            "linkedHaircutWad": float_to_wad(token.linked_haircut),
            "ratioWad": moved.get(token_id, float_to_wad(token.ratio)),
        }
        try:
            there = vars(book.call("collateralOf", token_id))
        except RevertError:
            yield f"tokens.{token.symbol}", NOTHING, wanted
            continue
        for key, value in wanted.items():
            yield f"tokens.{token.symbol}.{key}", there[key], value


def _moved_ratios(seen: _Seen) -> dict[int, int]:
    """Ratios that the rate feed has moved, as it last left them."""
    settled = [values for name, values in seen.events("RateFeed") if name == "RateSettled"]
    return {values.tokenId: values.ratioWad for values in settled}


def _rates(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    feed, wanted = seen.of("RateFeed"), {entry.token: entry for entry in seen.spec.rates}
    nothing = {"source": NOBODY, "form": 0, "gapSec": 0, "fallGapSec": 0, "maxRiseWad": 0, "maxFallWad": 0}
    for token_id, token in enumerate(seen.spec.listed):
        there = vars(feed.call("termsOf", token_id))
        configured = rate_terms(wanted[token.symbol]) if token.symbol in wanted else nothing
        for key, value in configured.items():
            yield f"rates.{token.symbol}.{key}", there[key], value


def _range(seen: _Seen, entry: LiquiditySpec, address: str) -> Iterator[tuple[str, Any, Any]]:
    """Which part of which pool a token of liquidity is."""
    token = Contract(seen.client, load_artifact("LiquidityToken"), address)
    yield f"liquidity.{entry.symbol}.pool", token.call("pool").lower(), entry.pool.lower()
    yield f"liquidity.{entry.symbol}.tick_lower", token.call("tickLower"), entry.tick_lower
    yield f"liquidity.{entry.symbol}.tick_upper", token.call("tickUpper"), entry.tick_upper


def _loan(seen: _Seen, entry: LoanSpec, address: str) -> Iterator[tuple[str, Any, Any]]:
    """Which loan a token is, on which terms, and whether both its sides are tokens of the deployment."""
    token, tokens = Contract(seen.client, load_artifact("MorphoPosition"), address), seen.deployment.tokens
    cash = seen.spec.tokens[0].symbol
    known = {**seen.deployment.contracts} | {symbol: record.address for symbol, record in tokens.items()}
    _, _, venue, terms, _, _ = loan_words(entry, seen.spec.tokens, known)
    there, how = token.call("venueOf"), token.call("termsOf")
    yield f"loans.{entry.symbol}.morpho", there.morpho.lower(), venue[0].lower()
    yield f"loans.{entry.symbol}.market_id", bytes(there.marketId).hex(), venue[1].hex()
    collateral, owed = (entry.base, cash) if entry.is_long else (cash, entry.base)
    for name, symbol in (("collateralToken", collateral), ("loanToken", owed)):
        yield f"loans.{entry.symbol}.{name}", token.call(name).lower(), tokens[symbol].address.lower()
    for key, value in zip(("bufferWad", "costWad", "capRaw"), terms[1:], strict=True):
        yield f"loans.{entry.symbol}.{key}", vars(how)[key], value


def _sources(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    book, wanted = seen.of("SourceBook"), {entry.symbol: entry for entry in seen.spec.liquidity}
    loans = {entry.symbol: entry for entry in seen.spec.loans}
    nothing = {"source": NOBODY, "stipendGas": 0, "ceilingE6": 0}
    for token_id, token in enumerate(seen.spec.listed):
        there, configured = vars(book.call("termsOf", token_id)), nothing
        if token.symbol in wanted:
            address = seen.deployment.tokens[token.symbol].address
            configured = source_terms(token, address, wanted[token.symbol].stipend_gas)
            yield from _range(seen, wanted[token.symbol], address)
        elif token.symbol in loans:
            address = seen.deployment.tokens[token.symbol].address
            configured = loan_source(loans[token.symbol], address)
            yield from _loan(seen, loans[token.symbol], address)
        for key, value in configured.items():
            yield f"sources.{token.symbol}.{key}", there[key], value


def _tokens(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    vault = seen.of("Vault")
    yield "Vault.tokenCount", vault.call("tokenCount"), len(seen.spec.listed)
    for token_id, token in enumerate(seen.spec.listed[: vault.call("tokenCount")]):
        there = vault.call("tokenOf", token_id)
        address = token.address or seen.deployment.tokens[token.symbol].address
        yield f"tokens.{token.symbol}.address", there.token.lower(), address.lower()
        yield f"tokens.{token.symbol}.decimals", there.decimals, token.decimals
        yield f"tokens.{token.symbol}.capRaw", there.capRaw, float_to_raw(token.deposit_cap, token.decimals)
        _, *outflow = vault.call("outflowOf", token_id)
        for (key, value), found in zip(outflow_terms(token).items(), outflow, strict=True):
            yield f"tokens.{token.symbol}.{key}", found, value


def _markets(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    """Rates of interest, what may be traded, how much of it, and the terms of funding."""
    there = vars(seen.of("Accounts").call("lendingOf")[1])
    for key, value in rate_curve(seen.spec.lending).items():
        yield f"lending.{key}", there[key], value
    for symbol, number in seen.deployment.underlyings.items():
        rules = vars(seen.of("Exchange").call("rulesOf", number))
        for key, value in listing_rules(seen.spec.listing).items():
            yield f"listing.{symbol}.{key}", rules[key], value
        for kind, value in caps_of(seen.spec, symbol).items():
            there_wad = seen.of("Accounts").call("openInterestOf", pack(Word(number, kind, 0, 0, 0)))[1]
            yield f"open_interest.{symbol}.{kind.word}", there_wad, value
        terms = vars(seen.of("PerpMarket").call("termsOf", number)[0])
        for key, value in funding_terms(seen.spec.funding).items():
            yield f"funding.{symbol}.{key}", terms[key], value


def _wiring(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    modules: dict[str, bool] = {}
    engine = NOTHING
    for name, values in seen.events("Accounts"):
        if name == "ModuleSet":
            modules[seen.named(values.module)] = values.allowed
        elif name == "MarginEngineSet":
            engine = seen.named(values.marginEngine)
    yield "Accounts.modules", sorted(name for name, allowed in modules.items() if allowed), sorted(MODULES)
    yield "Accounts.marginEngine", engine, "MarginEngine"
    yield "InsuranceFund.auction", seen.named(seen.of("InsuranceFund").call("auction")), "Auction"
    for key, wanted in (("auction", "Auction"), ("marginEngine", "MarginEngine")):
        yield f"Guarantees.{key}", seen.named(seen.of("Guarantees").call(key)), wanted
    auctions = [seen.named(values.auction) for name, values in seen.events("Vault") if name == "AuctionSet"]
    yield "Vault.auction", auctions[-1] if auctions else NOTHING, "Auction"
    yield "Auction.priorMargin", seen.named(seen.of("Auction").call("priorMargin")), "PriorMarginEngine"
    for name in PAUSABLE:
        yield f"{name}.paused", seen.of(name).call("paused"), False
    authority = seen.deployment.contracts["Authority"]
    for name in seen.deployment.contracts:
        contract = seen.of(name)
        if "authority" in contract.artifact.functions:
            yield f"{name}.authority", seen.named(contract.call("authority")), seen.named(authority)


def _attested(seen: _Seen, chain_id: int, remote: RemoteSpec) -> Iterator[tuple[str, Any, Any]]:
    """Who attests headers of another chain here, and that nobody attested two of one height."""
    feed = seen.of("HeaderFeed")
    yield "HeaderFeed.chain_id", feed.call("remoteChainId"), chain_id
    yield "remote.signer_threshold", feed.call("threshold"), remote.signer_threshold
    signers = [values.signers for name, values in seen.events("HeaderFeed") if name == "SignersSet"]
    yield "remote.signers", [s.lower() for s in signers[-1]], [s.lower() for s in remote.signers]
    yield "HeaderFeed.frozen", feed.call("isFrozen"), False


def _remote(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    """Headers of the other chain, and the claim to each token there."""
    remote = seen.spec.remote
    if remote is None:
        for name in ("HeaderFeed", "RemoteClaims"):
            yield f"{name}.address", seen.deployment.contracts.get(name, NOTHING), NOTHING
        return
    yield from _attested(seen, remote.chain_id, remote)
    claims, contracts = seen.of("RemoteClaims"), seen.deployment.contracts
    built = constructor_values("RemoteClaims", contracts["Authority"], contracts["HeaderFeed"], remote.escrow).hex()
    yield "remote.escrow", seen.deployment.parameters["constructors"]["RemoteClaims"], built
    for token in remote.tokens:
        there, cap_raw = claims.call("claimOf", token.token)
        recorded = seen.deployment.tokens.get(token.symbol)
        yield f"remote.{token.symbol}.claim", there.lower(), recorded.address.lower() if recorded else NOTHING
        yield f"remote.{token.symbol}.cap", cap_raw, float_to_raw(token.cap, token.decimals)
        if there == NOBODY:
            continue
        claim = Contract(seen.client, load_artifact("ClaimToken"), there)
        for key, wanted in (("name", token.name), ("symbol", token.symbol), ("decimals", token.decimals)):
            yield f"remote.{token.symbol}.{key}", claim.call(key), wanted
    listed = [values.remoteToken.lower() for name, values in seen.events("RemoteClaims") if name == "ClaimListed"]
    yield "remote.tokens", sorted(listed), sorted(token.token.lower() for token in remote.tokens)


def _strategy(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    """Compare the mandate of a strategy vault, and see that it owns its account."""
    spec = seen.spec.strategy
    if spec is None:
        for name in ("StrategyVault", "StrategyCloser"):
            yield f"{name}.address", seen.deployment.contracts.get(name, NOTHING), NOTHING
        return
    vault = seen.of("StrategyVault")
    mandate, limits = vault.call("mandateOf")
    for key, wanted in mandate_terms(spec).items():
        yield f"strategy.{key}", getattr(mandate, key), wanted
    there = [vars(limit) for limit in limits]
    yield "strategy.limits", there, greek_terms(spec, seen.deployment.underlyings)
    for key, wanted in (("name", spec.name), ("symbol", spec.symbol), ("asset", _cash_token(seen))):
        yield f"strategy.{key}", vault.call(key), wanted
    owner = seen.of("Accounts").call("ownerOf", vault.call("accountId"))
    yield "strategy.account", seen.named(owner), "StrategyVault"


def _cash_token(seen: _Seen) -> str:
    return str(seen.of("Vault").call("tokenOf", 0).token)


def _role_holders(seen: _Seen, more: Mapping[int, list[tuple[str, int]]]) -> Iterator[tuple[str, Any, Any]]:
    """Every holder of every role with its delay; ``more`` are those beside governor and cancellers."""
    people: Mapping[str, Any] = seen.deployment.parameters["roles"]
    manager, network = seen.of("Authority"), seen.spec.network
    handed_over = people["governor"] != people["deployer"]
    wanted: dict[int, list[tuple[str, int]]] = defaultdict(list, more)
    wanted[ADMIN_ROLE] = [(people["governor"], network.governor_delay_sec if handed_over else 0)]
    wanted[CANCELLER_ROLE] = [(who, 0) for who in people["cancellers"]]
    holders: dict[int, set[str]] = defaultdict(set)
    for name, values in seen.events("Authority"):
        if name == "RoleGranted":
            holders[values.roleId].add(values.account)
    for role in sorted({*holders, *wanted}):
        there = [(seen.named(who), *manager.call("hasRole", role, who)) for who in holders[role]]
        yield f"role.{role}", sorted((who, delay) for who, has, delay in there if has), sorted(wanted[role])


def _roles(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    people: Mapping[str, Any] = seen.deployment.parameters["roles"]
    modules = {DRAFT_ROLE: "ParameterPreview", RATE_ROLE: "RateFeed", RANGE_ROLE: "RangeRule"}
    more = {role: [(name, 0)] for role, name in modules.items()}
    yield from _role_holders(seen, {GUARDIAN_ROLE: [(people["guardian"], 0)], **more})
    functions: dict[str, int] = {}
    for name, values in seen.events("Authority"):
        if name == "TargetFunctionRoleUpdated":
            functions[f"{seen.named(values.target)}.0x{values.selector.hex()}"] = values.roleId
    expected = {f"{name}.{_selector(seen, name, 'pause')}": GUARDIAN_ROLE for name in PAUSABLE}
    expected[f"Exchange.{_selector(seen, 'Exchange', 'pauseInstrument')}"] = GUARDIAN_ROLE
    if seen.spec.strategy is not None:
        expected[f"StrategyVault.{_selector(seen, 'StrategyVault', 'halt')}"] = GUARDIAN_ROLE
    expected |= {f"DraftBook.{_selector(seen, 'DraftBook', name)}": DRAFT_ROLE for name in DRAFTED}
    expected[f"ScenarioBook.{_selector(seen, 'ScenarioBook', 'setRatio')}"] = RATE_ROLE
    expected[f"ScenarioBook.{_selector(seen, 'ScenarioBook', 'setRange')}"] = RANGE_ROLE
    for key in sorted({*functions, *expected}):
        yield f"role.function.{key}", functions.get(key, ADMIN_ROLE), expected.get(key, ADMIN_ROLE)
    yield from _closed(seen)


def _closed(seen: _Seen) -> Iterator[tuple[str, Any, Any]]:
    manager = seen.of("Authority")
    for name, address in seen.deployment.contracts.items():
        if name != "Authority":
            yield f"role.closed.{name}", manager.call("isTargetClosed", address), False


def _selector(seen: _Seen, name: str, function: str) -> str:
    return "0x" + seen.of(name).artifact.functions[function].selector.hex()
