"""Deployment on a chain of its own: every interruption is survived, every change found, nothing is sent twice."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from eth_utils.address import to_checksum_address

from plimsoll.chain.abi import constructor_values, creation_code
from plimsoll.chain.anvil import running, wallet
from plimsoll.chain.book import plain_rows, rows_of
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import LOCAL_GAS
from plimsoll.chain.revert import RevertError
from plimsoll.cli import run
from plimsoll.deployment.deploy import ADMIN_ROLE, CANCELLER_ROLE, GUARDIAN_ROLE, NOBODY, contract_name, deploy
from plimsoll.deployment.progress import Journal, part_path
from plimsoll.deployment.spec import CONFIG, AggregatorSpec, load_spec
from plimsoll.deployment.verify import NOTHING, verify
from plimsoll.errors import InputError
from plimsoll.model import Round, Surface, Svi
from plimsoll.params import Params
from plimsoll.protocol.rounds import RoundPoster

START_TS = 1_700_000_000
DEPLOYER, GUARDIAN, GOVERNOR, STRANGER = (wallet(name) for name in ("deployer", "guardian", "governor", "stranger"))
SIGNERS = tuple(wallet(f"signer {n}").address for n in range(3))
SPEC = load_spec("local", Params()).with_signers(SIGNERS)
LOCAL = (CONFIG / "local.toml").read_text(encoding="utf-8")
MODULES = ["Auction", "Exchange", "Guarantees", "InsuranceFund", "PerpMarket", "Settlement", "Vault"]


class KilledError(Exception):
    """The run ends here."""


class FragileClient(Client):
    """A client that dies at one of its transactions, before or after the node has it."""

    def __init__(self, url, at, arrives):
        super().__init__(url)
        self.left, self.arrives = at, arrives

    def rpc(self, method, *params):
        if method != "eth_sendRawTransaction":
            return super().rpc(method, *params)
        self.left -= 1
        if self.left >= 0:
            return super().rpc(method, *params)
        if self.arrives:
            # Unless the pool is where it ends, it is mined when the call returns.
            super().rpc(method if self.arrives == "pool" else f"{method}Sync", *params)
        raise KilledError


@pytest.fixture(scope="module")
def node():
    with running(START_TS) as chain:
        client = Client(chain.url)
        for account in (DEPLOYER, GUARDIAN, GOVERNOR, STRANGER):
            client.rpc("anvil_setBalance", account.address, hex(10**24))
        yield chain


@pytest.fixture
def client(node):
    """A client of the empty chain; whatever a test does is undone."""
    found = Client(node.url)
    snapshot = found.rpc("evm_snapshot")
    yield found
    found.rpc("evm_revert", snapshot)


@pytest.fixture
def installed(client):
    """An installation governed by its deployer, so that a test can change it."""
    deployment = deploy(client, DEPLOYER, SPEC, guardian=GUARDIAN.address)

    def send(name, function, *values, by=DEPLOYER):
        deployment.contract(client, name).send(by, function, *values)

    return SimpleNamespace(deployment=deployment, of=lambda name: deployment.contract(client, name), send=send)


def nonce_of(client, account=DEPLOYER):
    return int(client.rpc("eth_getTransactionCount", account.address, "latest"), 16)


def found(client, deployment, spec=SPEC):
    """Differences by name, both values each."""
    return {d.name: (d.on_chain, d.configured) for d in verify(client, deployment, spec)}


def command(client, out, *options, network="local"):
    signers = [word for signer in SIGNERS for word in ("--signer", signer)]
    return run(["deploy", "--network", network, "--rpc", client.url, "--out", str(out), *signers, *options])


def write_config(path, *changes):
    text = LOCAL
    for old, new in changes:
        assert text.count(old) >= 1
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return str(path)


# --- running it


def test_deploy__command__verifies_itself_and_leaves_no_part(client, tmp_path, capsys):
    out = tmp_path / "local.json"
    assert command(client, out) == 0
    assert "contracts on chain 31337 are as configured" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["local.json"]


@pytest.mark.parametrize("options", [[], ["--verify"]])
def test_deploy__second_run__sends_nothing_and_changes_nothing(client, tmp_path, options):
    out = tmp_path / "local.json"
    command(client, out)
    before = (client.block_number(), nonce_of(client), out.read_bytes(), out.stat().st_mtime_ns)
    assert command(client, out, *options) == 0
    assert (client.block_number(), nonce_of(client), out.read_bytes(), out.stat().st_mtime_ns) == before


def test_deploy__to_a_governor__leaves_the_deployer_nothing(client):
    spec = replace(SPEC, network=replace(SPEC.network, governor_delay_sec=3_600))
    deployment = deploy(client, DEPLOYER, spec, guardian=GUARDIAN.address, governor=GOVERNOR.address)
    assert found(client, deployment, spec) == {}
    manager = deployment.contract(client, "Authority")
    assert manager.call("hasRole", ADMIN_ROLE, DEPLOYER.address)[0] is False
    assert found(client, deployment) == {"role.0": ([(GOVERNOR.address, 3_600)], [(GOVERNOR.address, 0)])}


def test_deploy__cancellers__cancel_a_grant_of_the_admin_role(client):
    spec = replace(SPEC, network=replace(SPEC.network, governor_delay_sec=3_600))
    people = {"guardian": GUARDIAN.address, "governor": GOVERNOR.address, "cancellers": (STRANGER.address,)}
    deployment = deploy(client, DEPLOYER, spec, **people)
    assert found(client, deployment, spec) == {}
    manager = deployment.contract(client, "Authority")
    assert [manager.call("hasRole", CANCELLER_ROLE, who.address)[0] for who in (STRANGER, DEPLOYER)] == [True, False]
    grant = manager.encode("grantRole", ADMIN_ROLE, GUARDIAN.address, 0)
    manager.send(GOVERNOR, "schedule", manager.address, grant, 0)
    manager.send(STRANGER, "cancel", GOVERNOR.address, manager.address, grant)
    client.rpc("evm_increaseTime", 3_600)
    client.rpc("evm_mine")
    with pytest.raises(RevertError, match="AccessManagerNotScheduled"):
        manager.send(GOVERNOR, "execute", manager.address, grant)
    roles = replace(
        deployment, parameters={**deployment.parameters, "roles": {**deployment.parameters["roles"], "cancellers": []}}
    )
    assert found(client, roles, spec) == {f"role.{CANCELLER_ROLE}": ([(STRANGER.address, 0)], [])}


def test_deploy__optional_feeds__are_set_and_verified(client):
    """An aggregator has to answer for its decimals: the mock of a token serves."""
    plain = deploy(client, DEPLOYER, SPEC)
    feed = plain.tokens["USDC"].address
    spec = replace(
        SPEC,
        oracle=replace(SPEC.oracle, sequencer=STRANGER.address, sequencer_grace_sec=60),
        aggregators=(AggregatorSpec("ETH", feed, 600, 0.05),),
    )
    assert found(client, deploy(client, DEPLOYER, spec), spec) == {}
    assert set(found(client, plain, spec)) == {"oracle.sequencer", "oracle.sequencer_grace_sec", "aggregators.ETH"}


def test_deploy__caps_on_open_interest__are_set_for_every_kind(installed):
    caps = [[installed.of("Accounts").call("openInterestOf", u << 248 | k << 240)[1] for k in range(4)] for u in (1, 2)]
    assert caps == [[10**23, 10**23, 10**23, 2 * 10**23], [5 * 10**21, 5 * 10**21, 5 * 10**21, 10**22]]


@pytest.mark.parametrize("arrives", [False, True])
def test_deploy__killed_at_any_transaction__goes_on_without_a_second_one(client, tmp_path, arrives):
    people = {"guardian": GUARDIAN.address, "governor": GOVERNOR.address}
    snapshot, first = client.rpc("evm_snapshot"), nonce_of(client)
    whole = deploy(client, DEPLOYER, SPEC, **people)
    sent = nonce_of(client) - first
    # The step reaches creations and settings of every kind; the last one is the renounced role.
    for at in (*range(0, sent, 7), sent - 1):
        client.rpc("evm_revert", snapshot)
        snapshot = client.rpc("evm_snapshot")
        part = part_path(tmp_path / f"{at}.json")
        with pytest.raises(KilledError):
            deploy(FragileClient(client.url, at, arrives), DEPLOYER, SPEC, part=part, **people)
        assert nonce_of(client) - first == at + arrives
        resumed = deploy(Client(client.url), DEPLOYER, SPEC, part=part, **people)
        assert resumed == whole, at
        assert nonce_of(client) - first == sent, at
    assert found(Client(client.url), resumed) == {}


def interrupted(client, part, at=4, arrives=True, spec=SPEC):
    with pytest.raises(KilledError):
        deploy(FragileClient(client.url, at, arrives), DEPLOYER, spec, part=part)


def test_deploy__command_after_an_interruption__completes_it(client, tmp_path):
    out = tmp_path / "local.json"
    interrupted(client, part_path(out), 20)
    assert nonce_of(client) == 21
    assert command(client, out) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["local.json"]


def test_deploy__transaction_still_in_the_pool__is_waited_for(client, tmp_path):
    part = tmp_path / "x.json.part"
    client.rpc("evm_setAutomine", False)
    try:
        interrupted(client, part, 0, "pool")
        assert nonce_of(client) == 0
        client.rpc("evm_setIntervalMining", 1)
        journal = Journal(part, client, DEPLOYER, json.loads(part.read_text(encoding="utf-8"))["digest"])
        receipt = journal.transact(None, creation_code("Authority", DEPLOYER.address), None, "Authority")
    finally:
        client.rpc("evm_setIntervalMining", 0)
        client.rpc("evm_setAutomine", True)
    assert receipt.status == 1
    assert nonce_of(client) == 1
    assert found(client, deploy(Client(client.url), DEPLOYER, SPEC, part=part)) == {}


def test_deploy__part_of_another_configuration__is_refused(client, tmp_path):
    part = tmp_path / "x.json.part"
    interrupted(client, part)
    other = replace(SPEC, oracle=replace(SPEC.oracle, heartbeat_sec=1))
    with pytest.raises(InputError, match="another configuration"):
        deploy(client, DEPLOYER, other, part=part)
    assert nonce_of(client) == 5


def test_deploy__key_used_elsewhere__is_refused(client, tmp_path):
    part = tmp_path / "x.json.part"
    interrupted(client, part)
    client.send(DEPLOYER, STRANGER.address, b"", 21_000)
    with pytest.raises(InputError, match="its key was used elsewhere"):
        deploy(client, DEPLOYER, SPEC, part=part)


def test_deploy__part_of_a_chain_that_is_gone__starts_again_or_is_refused(client, tmp_path):
    part = tmp_path / "x.json.part"
    snapshot = client.rpc("evm_snapshot")
    interrupted(client, part)
    client.rpc("evm_revert", snapshot)
    assert found(client, deploy(Client(client.url), DEPLOYER, SPEC, part=part)) == {}


def test_deploy__transaction_failed_before__is_refused(client, tmp_path):
    part = tmp_path / "x.json.part"
    interrupted(client, part, 6)
    document = json.loads(part.read_text(encoding="utf-8"))
    # Of the same nonce, but refused by the contract.
    oracle = client.find_receipt(document["hashes"][2]).contract_address
    request = {"from": STRANGER.address, "to": oracle, "data": "0x8456cb59", "gas": hex(10**6)}
    client.rpc("anvil_impersonateAccount", STRANGER.address)
    document["hashes"][-1] = client.rpc("eth_sendTransaction", request)
    part.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match="failed in 0x"):
        deploy(client, DEPLOYER, SPEC, part=part)


@pytest.mark.parametrize("text", ["{", "{}", '{"schema": "plimsoll.deployment.part/1"}', "[]"])
def test_deploy__part_damaged__is_refused(client, tmp_path, text):
    part = tmp_path / "x.json.part"
    part.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is no progress of a deployment"):
        deploy(client, DEPLOYER, SPEC, part=part)


# --- refusing to


@pytest.mark.parametrize("exists", [False, True])
def test_deploy__wrong_chain_id__is_refused_before_anything_is_sent(client, tmp_path, capsys, exists):
    network = write_config(tmp_path / "other.toml", ("is_local = true", "is_local = false\nchain_id = 10"))
    out = tmp_path / "x.json"
    if exists:
        assert command(client, out) == 0
    before = (client.block_number(), nonce_of(client))
    assert command(client, out, "--live", network=network) == 2
    assert "chain id 10" in capsys.readouterr().err
    assert (client.block_number(), nonce_of(client)) == before


def test_deploy__spec_of_another_chain__is_refused(client):
    with pytest.raises(InputError, match="local has chain id 5, the node 31337"):
        deploy(client, DEPLOYER, replace(SPEC, network=replace(SPEC.network, chain_id=5)))


def test_deploy__local_rules_on_a_real_chain_id__are_refused(client, tmp_path, capsys):
    network = write_config(tmp_path / "other.toml", ("is_local = true", "is_local = true\nchain_id = 1"))
    assert command(client, tmp_path / "x.json", network=network) == 2
    assert "is_local needs chain id 31337, got 1" in capsys.readouterr().err


def test_deploy__aggregator_of_an_unlisted_underlying__is_refused(client, tmp_path, capsys):
    entry = '[aggregators.SOL]\nfeed = "0x00"\nmax_age_sec = 1\nmax_deviation = 0.1\n\n[network]'
    network = write_config(tmp_path / "other.toml", ("[network]", entry))
    assert command(client, tmp_path / "x.json", network=network) == 2
    assert "aggregators.SOL is no listed underlying" in capsys.readouterr().err


def test_deploy__public_network_without_live__is_refused(client, tmp_path, capsys):
    assert command(client, tmp_path / "x.json", network="sepolia") == 2
    assert "--live: missing" in capsys.readouterr().err


def test_deploy__verify_without_an_artefact__is_refused(client, tmp_path, capsys):
    assert command(client, tmp_path / "x.json", "--verify") == 3
    assert "no artefact to verify" in capsys.readouterr().err
    assert nonce_of(client) == 0


@pytest.mark.parametrize("left_out", ["--network", "--rpc", "--out"])
def test_deploy__no_default(client, tmp_path, capsys, left_out):
    options = {"--network": "local", "--rpc": client.url, "--out": str(tmp_path / "x.json")}
    del options[left_out]
    assert run(["deploy", *(word for pair in options.items() for word in pair), "--signer", SIGNERS[0]]) == 2
    assert left_out in capsys.readouterr().err
    assert nonce_of(client) == 0


def test_deploy__too_few_signers__is_refused(client, tmp_path, capsys):
    options = ["--network", "local", "--rpc", client.url, "--out", str(tmp_path / "x.json")]
    assert run(["deploy", *options, "--signer", SIGNERS[0]]) == 2
    assert "1 given, the threshold is 2" in capsys.readouterr().err


# --- finding what is different


def test_verify__changed_configuration__names_every_change_and_sends_nothing(client, tmp_path, capsys):
    out = tmp_path / "x.json"
    command(client, out)
    capsys.readouterr()
    network = write_config(
        tmp_path / "other.toml",
        ("heartbeat_sec = 7200", "heartbeat_sec = 7201"),
        ('haircut = 0.20\nlinked = "ETH"', 'haircut = 0.25\nlinked = "ETH"'),
        ("deposit_cap = 50_000.0", "deposit_cap = 50_001.0"),
        ("grace_sec = 3600", "grace_sec = 3601"),
        ("future = 100_000.0", "future = 0.0"),
    )
    before = nonce_of(client)
    for options in ([], ["--verify"]):
        assert command(client, out, *options, network=network) == 1
        shown = capsys.readouterr()
        assert set(shown.out.splitlines()) == {
            "oracle.heartbeat_sec: chain 7200, configuration 7201",
            f"tokens.WETH.haircutWad: chain {2 * 10**17}, configuration {25 * 10**16}",
            f"tokens.WBTC.capRaw: chain {50_000 * 10**8}, configuration {50_001 * 10**8}",
            "network.grace_sec: chain 3600, configuration 3601",
            f"open_interest.ETH.future: chain {10**23}, configuration 0",
        }
        assert "5 differences between chain and configuration" in shown.err
    assert nonce_of(client) == before


def test_verify__every_risk_parameter__is_looked_at(client, installed):
    account, own = SPEC.params.account, SPEC.params.for_underlying("ETH")

    def changed(params):
        return found(client, installed.deployment, replace(SPEC, params=params))

    for name in account.__dataclass_fields__:
        seen = changed(replace(SPEC.params, account=replace(account, **{name: 0.123})))
        assert len(seen) == 1, name
    for name in own.__dataclass_fields__:
        seen = changed(replace(SPEC.params, overrides={"ETH": {name: 0.123}}))
        # The listed range is the floor of the rule as well.
        assert len(seen) == 1 + (name == "price_range"), name
    for name, value in (("tail_moves", (2.5,)), ("skew_size", 0.2), ("tail_vols", ("up", "flat"))):
        seen = changed(replace(SPEC.params, books={"ETH": replace(SPEC.params.book, **{name: value})}))
        assert len(seen) == 1, name


def test_verify__terms_of_the_rule__are_looked_at(client, installed):
    for name in SPEC.range_rule.__dataclass_fields__:
        rule = replace(SPEC.range_rule, **{name: 0.123})
        seen = found(client, installed.deployment, replace(SPEC, range_rule=rule))
        assert set(seen) == {f"range_rule.{symbol}.{contract_name(name)}" for symbol in ("ETH", "BTC")}
    terms = installed.of("RangeRule").call("termsOf", 1)
    installed.send("RangeRule", "setTerms", 1, {**vars(terms), "keptWad": 9 * 10**17})
    assert found(client, installed.deployment) == {"range_rule.ETH.keptWad": (9 * 10**17, 94 * 10**16)}


def test_verify__range_that_the_rule_has_moved__is_as_configured(client, installed):
    """Terms whose floor is above the listed range let the first round move it."""
    poster = RoundPoster(client, installed.deployment, [wallet(f"signer {n}") for n in range(2)])
    svi = Svi(0.01, 0.05, -0.2, 0.0, 0.1)
    ts = client.block_ts()
    surfaces = (Surface(ts + 30 * 86_400, 1_905.0, 0.04, svi),)
    poster.send(DEPLOYER, poster.round_call(Round("ETH", ts, 1_900.0, 1_899.5, 1.0, surfaces)))
    terms = vars(installed.of("RangeRule").call("termsOf", 1))
    installed.send("RangeRule", "setTerms", 1, {**terms, "floorWad": 29 * 10**16})
    installed.send("RangeRule", "recalibrate", 1, by=STRANGER)
    assert installed.of("ScenarioBook").call("bookOf", 1).params.priceRangeWad == 29 * 10**16
    assert found(client, installed.deployment) == {"range_rule.ETH.floorWad": (29 * 10**16, 285 * 10**15)}
    # What anybody else has set is still named.
    book = installed.of("ScenarioBook").call("bookOf", 2)
    params = {**vars(book.params), "priceRangeWad": 3 * 10**17}
    installed.send("ScenarioBook", "setBook", 2, params, plain_rows(book.rows))
    assert found(client, installed.deployment)["underlyings.BTC.priceRangeWad"] == (3 * 10**17, 23 * 10**16)


def test_verify__changed_on_chain__names_both_values(client, installed):
    send = installed.send
    send("Oracle", "setLimits", 600, 10**17, 6 * 10**17)
    send("Oracle", "setSigners", list(SPEC.oracle.signers[:2]), 1)
    send("Accounts", "setModule", STRANGER.address, True)
    send("Accounts", "setModule", installed.deployment.contracts["Vault"], False)
    send("Accounts", "setMarginEngine", STRANGER.address)
    send("Vault", "setCap", 0, 7)
    send("Vault", "setOutflow", 1, 10**6, 10**6)
    send("Accounts", "setOpenInterestCap", 1, 1, 7)
    send("Accounts", "setOpenInterestCap", 2, 3, 0)
    send("Auction", "setPriorMargin", installed.deployment.contracts["MarginEngine"])
    send("Auction", "pause", by=GUARDIAN)
    three, two = ([s.lower() for s in SPEC.oracle.signers[:n]] for n in (3, 2))
    assert found(client, installed.deployment) == {
        "oracle.heartbeat_sec": (600, 7_200),
        "oracle.max_move": (10**17, 25 * 10**16),
        "oracle.max_variance_move": (6 * 10**17, 7 * 10**17),
        "oracle.signers": (two, three),
        "oracle.signer_threshold": (1, 2),
        "Accounts.modules": (sorted([*MODULES[:-1], STRANGER.address]), MODULES),
        "Accounts.marginEngine": (STRANGER.address, "MarginEngine"),
        "Auction.priorMargin": ("MarginEngine", "PriorMarginEngine"),
        "tokens.USDC.capRaw": (7, 10**15),
        "tokens.WETH.shareE6": (10**6, 10**5),
        "tokens.WETH.dailyE6": (10**6, 25 * 10**4),
        "open_interest.ETH.put": (7, 10**23),
        "open_interest.BTC.perp": (0, 10**22),
        "Auction.paused": (True, False),
    }


def test_verify__changed_roles__are_named(client, installed):
    exchange = installed.deployment.contracts["Exchange"]
    unpause = installed.of("Exchange").artifact.functions["unpause"].selector
    send = installed.send
    send("Authority", "grantRole", GUARDIAN_ROLE, STRANGER.address, 60)
    send("Authority", "grantRole", 7, STRANGER.address, 0)
    send("Authority", "setTargetFunctionRole", exchange, [unpause], 7)
    send("Authority", "setTargetClosed", exchange, True)
    guardians = sorted([(GUARDIAN.address, 0), (STRANGER.address, 60)])
    assert found(client, installed.deployment) == {
        f"role.{GUARDIAN_ROLE}": (guardians, [(GUARDIAN.address, 0)]),
        "role.7": ([(STRANGER.address, 0)], []),
        f"role.function.Exchange.0x{unpause.hex()}": (7, 0),
        "role.closed.Exchange": (True, False),
    }


def test_verify__set_back__is_no_difference(client, installed):
    exchange = installed.deployment.contracts["Exchange"]
    for closed in (True, False):
        installed.send("Authority", "setTargetClosed", exchange, closed)
    installed.send("Authority", "grantRole", GUARDIAN_ROLE, STRANGER.address, 0)
    installed.send("Authority", "revokeRole", GUARDIAN_ROLE, STRANGER.address)
    assert found(client, installed.deployment) == {}


def test_verify__other_rows_and_a_third_underlying__are_named(client, installed):
    book = installed.of("ScenarioBook")
    params = book.call("bookOf", 1).params
    rows = rows_of(replace(SPEC.params.book, tail_moves=(2.5, 3.5)))
    installed.send("ScenarioBook", "setBook", 1, params, rows)
    installed.send("ScenarioBook", "listUnderlying", b"XYZ".ljust(32, b"\0"), params, rows)
    differences = found(client, installed.deployment)
    assert differences["underlyings"] == (["ETH", "BTC", "XYZ"], ["ETH", "BTC"])
    assert differences["underlyings.ETH.rows.tailMovesWad"] == ([25 * 10**17, 35 * 10**17], [3 * 10**18])
    assert not any(name.startswith("underlyings.BTC") for name in differences)


def other_lines(client, installed):
    """The address of a second contract of guarantee lines, of the same ledger and authority."""
    of = installed.deployment.contracts
    data = creation_code("Guarantees", of["Authority"], of["Accounts"])
    return to_checksum_address(client.send(DEPLOYER, None, data, LOCAL_GAS).contract_address)


def test_verify__guarantee_lines_that_nobody_asks__are_named(client, installed):
    """Not connected, no module, and all who ask for lines ask the others."""
    contracts = {**installed.deployment.contracts, "Guarantees": other_lines(client, installed)}
    asked = installed.deployment.contracts["Guarantees"]
    assert found(client, replace(installed.deployment, contracts=contracts)) == {
        **{f"{kind}MarginEngine.guarantees": (asked, "Guarantees") for kind in ("", "Prior", "Draft")},
        "Auction.guarantees": (asked, "Guarantees"),
        "Accounts.modules": (sorted([*(name for name in MODULES if name != "Guarantees"), asked]), MODULES),
        "Guarantees.auction": (NOBODY, "Auction"),
        "Guarantees.marginEngine": (NOBODY, "MarginEngine"),
    }


def test_verify__auction_that_asks_for_other_lines__is_named(client, installed):
    """An auction that was replaced by hand, and recorded as it was made: its code is what its record says."""
    deployment, other = installed.deployment, other_lines(client, installed)
    of = deployment.contracts
    parts = [of[name] for name in ("Authority", "Accounts", "MarginEngine", "ScenarioBook", "InsuranceFund")]
    made = client.send(DEPLOYER, None, creation_code("Auction", *parts, other), LOCAL_GAS).contract_address
    built = {**deployment.parameters["constructors"], "Auction": constructor_values("Auction", *parts, other).hex()}
    replaced = replace(
        deployment,
        contracts={**of, "Auction": to_checksum_address(made)},
        parameters={**deployment.parameters, "constructors": built},
    )
    differences = found(client, replaced)
    assert differences["Auction.guarantees"] == (other, "Guarantees")
    # What draws from the lines is still the auction that was connected, and the lens asks that one too.
    for key in ("Guarantees.auction", "InsuranceFund.auction", "Lens.auction", "ActionPreview.auction"):
        assert differences[key] == (of["Auction"], "Auction")
    assert "Auction.code" not in differences


def test_verify__roles_of_guarantee_lines__are_looked_at(client, installed):
    lines = installed.deployment.contracts["Guarantees"]
    connect = installed.of("Guarantees").artifact.functions["connect"].selector
    installed.send("Authority", "setTargetFunctionRole", lines, [connect], 7)
    installed.send("Authority", "setTargetClosed", lines, True)
    assert found(client, installed.deployment) == {
        f"role.function.Guarantees.0x{connect.hex()}": (7, ADMIN_ROLE),
        "role.closed.Guarantees": (True, False),
    }


@pytest.mark.parametrize("name", ["Vault", "Oracle", "MarginEngine", "DraftBook"])
def test_verify__other_code__is_named(client, installed, name):
    address = installed.deployment.contracts[name]
    code = client.rpc("eth_getCode", address, "latest")
    # An immutable: the ledger, the oracle's own address, the live book.
    kept = {"Oracle": "Oracle", "DraftBook": "ScenarioBook"}.get(name, "Accounts")
    word = installed.deployment.contracts[kept][2:].lower()
    assert word in code
    client.rpc("anvil_setCode", address, code.replace(word, STRANGER.address[2:].lower()))
    there, built = found(client, installed.deployment).pop(f"{name}.code")
    assert there != built


def test_verify__nothing_there__is_no_code(client, installed):
    client.rpc("anvil_setCode", installed.deployment.contracts["Vault"], "0x")
    assert found(client, installed.deployment) == {"Vault.code": (NOTHING, "code")}


def test_verify__artefact_without_a_contract__is_refused(client, installed):
    contracts = {k: v for k, v in installed.deployment.contracts.items() if k != "Lens"}
    with pytest.raises(InputError, match="lacks Lens"):
        found(client, replace(installed.deployment, contracts=contracts))
