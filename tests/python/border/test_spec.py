"""Network configurations: what ships is valid, and every mistake is one named error."""

from dataclasses import asdict

import pytest

from plimsoll.deployment.loan_spec import loan_source, loan_words
from plimsoll.deployment.spec import CONFIG, load_spec
from plimsoll.errors import InputError
from plimsoll.mirror.range_rule import RangeTerms
from plimsoll.model import Kind
from plimsoll.params import Params

RATE = "[rates.WETH]\nsource = '0x'\ngap_sec = 3600\nfall_gap_sec = 24\nmax_rise = 0.01\nmax_fall = 0.05\n"
RATED = RATE.replace("0x", "0x" + "1" * 40) + "form = 'get_rate'"
LOCAL = (CONFIG / "local.toml").read_text(encoding="utf-8")
#: One bit for each kind; the local chain trades them all.
ALL = (1 << len(Kind)) - 1
KINDS = f"kinds = {ALL}"


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIG.glob("*.toml")))
def test_load_spec__shipped__is_valid(name):
    spec = load_spec(name, Params())
    assert spec.network.name == name
    assert spec.tokens[0].symbol == "USDC"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("decimals = 6", 'decimals = "6"', "decimals: must be int"),
        ("decimals = 6", "decimal = 6", "unknown key decimal"),
        ("signer_threshold = 2", "", "signer_threshold is missing"),
        ("[tokens.USDC]", "[tokens.DAI]", "first token must be USDC"),
        ("[underlyings]", "[underlying]", "sections must be"),
        ("max_move = 0.25", "max_move = ", "is not TOML"),
        ("period_sec = 28_800", "", "period_sec is missing"),
        ("multiple = 3.0", "", "multiple is missing"),
        ("kept = 0.94", "kept = 1.0", r"range_rule\]: kept 1.0 is outside 0.5 to 0.995"),
        ("ceiling = 0.5", "ceiling = 0.25", "ceiling 0.25 is below the price range 0.285 of ETH"),
        ("[range_rule]", "[range]", "sections must be"),
        ("call = 5_000.0", "calls = 5_000.0", "unknown key calls"),
        ("call = 5_000.0", "call = -1.0", r"open_interest.BTC\]: call must be within 0 and 1e\+12"),
        ("[open_interest.BTC]", "[open_interest.SOL]", "must name ETH, BTC, got ETH, SOL"),
        ("[network]", f"{RATE}form = 'rate'\n[network]", "form must be one of erc4626, get_rate"),
        ("[network]", f"{RATE.replace('WETH', 'SOL')}form = 'get_rate'\n[network]", "rates.SOL is no listed token"),
        ("[network]", f"{RATE}\n[network]", "form is missing"),
        ("[network]", f"{RATE}form = 'get_rate'\n[network]", "source '0x' is no address"),
        ("[network]", f"{RATED.replace('3600', '59')}\n[network]", r"gap_sec 59 is outside 60 to 604800"),
        ("[network]", f"{RATED.replace('0.01', '0.11')}\n[network]", r"max_rise 0.11 is outside 0.0 to 0.1"),
        ("[network]", f"{RATED.replace('0.05', 'nan')}\n[network]", r"max_fall nan is outside 0.0 to 0.5"),
        (KINDS, "kinds = 1.5", "kinds: must be int"),
        (KINDS, f"kinds = {ALL + 1}", f"kinds must be within 1 and {ALL}, got {ALL + 1}"),
        (KINDS, "kinds = 0", f"kinds must be within 1 and {ALL}, got 0"),
        ("call = 5_000.0", "", r"open_interest.BTC\]: call is missing"),
        ('symbols = ["ETH", "BTC"]', "", r"underlyings\]: must hold one key, as in symbols"),
        ('symbols = ["ETH", "BTC"]', 'symbols = "ETH"', r"underlyings\]: must hold one key, as in symbols"),
        ('symbols = ["ETH", "BTC"]', 'symbols = ["ETH", "ETH"]', r"underlyings\]: symbols must name .* each once"),
        ("[network]", "tokens = 5\n[network]", "is not TOML"),
        ("[network]", "rates = 5\n[network]", r"rates\]: must be a table, got 5"),
        ("[network]", "rates = {WETH = 5}\n[network]", r"rates.WETH\]: must be a table, got 5"),
        ("is_local = true", "is_local = 1", "is_local: must be bool"),
    ],
)
def test_load_spec__one_mistake__is_named(tmp_path, old, new, message):
    assert LOCAL.count(old) == 1
    path = tmp_path / "net.toml"
    path.write_text(LOCAL.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_spec(str(path), Params())


def test_load_spec__kind_that_may_not_be_traded__needs_no_cap(tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(
        LOCAL.replace(KINDS, f"kinds = {ALL - (1 << Kind.CALL)}").replace("call = 5_000.0", ""), encoding="utf-8"
    )
    eth, btc = load_spec(str(path), Params()).open_interest
    assert (eth.caps[Kind.CALL], btc.caps[Kind.CALL], btc.caps[Kind.PERP]) == (100_000.0, 0.0, 10_000.0)


def test_load_spec__rule_of_ranges__is_the_one_that_is_back_tested():
    for name in ("local", "sepolia"):
        rule = load_spec(name, Params()).range_rule
        assert {key: getattr(RangeTerms(0.285), key) for key in asdict(rule)} == asdict(rule)


def test_load_spec__unknown_network__lists_the_known():
    with pytest.raises(InputError, match=r"no configuration mainnet; known: local, sepolia"):
        load_spec("mainnet", Params())


REMOTE = f"""
[remote]
chain_id = 10
signers = ["0x{"2" * 40}", "0x{"1" * 40}"]
signer_threshold = 2
final_sec = 1_140

[remote.tokens.rETH]
name = "Ether on the other chain"
token = "0x{"3" * 40}"
decimals = 18
cap = 1_000.0
volatility = 0.8
haircut = 0.2
linked = "ETH"
linked_haircut = 0.02
"""


def remote_spec(tmp_path, text):
    path = tmp_path / "x.toml"
    path.write_text(LOCAL + text, encoding="utf-8")
    return load_spec(str(path), Params())


def test_load_spec__other_chain__adds_what_the_wait_costs_to_both_haircuts(tmp_path):
    spec = remote_spec(tmp_path, REMOTE)
    assert [token.symbol for token in spec.listed] == ["USDC", "WETH", "WBTC", "rETH"]
    claim = spec.listed[-1]
    assert (claim.haircut, claim.linked_haircut) == pytest.approx((0.219118, 0.039118), abs=1e-6)
    # In the order that the contracts ask for.
    assert [int(signer, 16) for signer in spec.remote.signers] == sorted(int(s, 16) for s in spec.remote.signers)
    sooner = remote_spec(tmp_path, REMOTE.replace("final_sec = 1_140", "final_sec = 12"))
    assert sooner.listed[-1].linked_haircut == pytest.approx(0.02 + 0.012823, abs=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("chain_id = 10", "chain_id = 31_337", "chain_id 31337 is the chain of the deployment itself"),
        ("chain_id = 10", "", "chain_id is missing"),
        ("signer_threshold = 2", "signer_threshold = 3", "signer_threshold 3 is outside 1 to 2"),
        ("signer_threshold = 2", "signer_threshold = 0", "signer_threshold 0 is outside 1 to 2"),
        (f'signers = ["0x{"2" * 40}", ', f'signers = ["0x{"1" * 40}", ', "the same address twice"),
        (f'signers = ["0x{"2" * 40}", ', 'signers = ["0x22", ', "signers: '0x22' is no address"),
        ("signers = ", "signer = ", "signers is missing"),
        ("final_sec = 1_140", "final_sec = 0", "final_sec 0 is outside 1 to 2592000"),
        ("final_sec = 1_140", "final_sec = 1_140\nescrow = 'x'", "escrow 'x' is no address"),
        (f'token = "0x{"3" * 40}"', 'token = "WETH"', "token 'WETH' is no address"),
        ("cap = 1_000.0", "cap = -1.0", r"remote.tokens.rETH\]: cap -1.0 is outside 0.0 to 1e\+12"),
        ("decimals = 18", "decimals = 19", "decimals 19 is outside 0 to 18"),
        ("volatility = 0.8", "volatility = 0.0", "volatility 0.0 is outside 0.01 to 10"),
        ("volatility = 0.8", "volatility = nan", "volatility nan is outside"),
        ("haircut = 0.2\n", "haircut = 0.99\n", "haircut 0.99 is outside 0 to 0.9809: the wait costs 0.0191"),
        ("linked_haircut = 0.02", "linked_haircut = -0.1", "linked_haircut -0.1 is outside 0"),
        ('linked = "ETH"', 'linked = "SOL"', "linked SOL is no listed underlying"),
        ("[remote.tokens.rETH]", "[remote.tokens.WETH]", "tokens.WETH is a token of this chain already"),
        ("volatility = 0.8", "volatility = 0.8\nspot = 1", "unknown key spot"),
        ("final_sec = 1_140", "final_secs = 1_140", "unknown key final_secs"),
    ],
)
def test_load_spec__one_mistake_of_the_other_chain__is_named(tmp_path, old, new, message):
    assert REMOTE.count(old) == 1
    with pytest.raises(InputError, match=message):
        remote_spec(tmp_path, REMOTE.replace(old, new))


LIQUIDITY = f"""
[liquidity.LP-ETH]
name = "Liquidity of ether and dollars"
pool = "0x{"4" * 40}"
factory = "0x{"5" * 40}"
positions = "0x{"6" * 40}"
base = "WETH"
is_base_first = true
tick_lower = -202_020
tick_upper = -198_960
haircut = 0.2
linked_haircut = 0.05
deposit_cap = 1_000_000.0
"""


def test_load_spec__liquidity__is_a_token_linked_like_its_base(tmp_path):
    spec = remote_spec(tmp_path, LIQUIDITY)
    token = spec.listed[-1]
    assert (token.symbol, token.linked, token.ratio, token.decimals) == ("LP-ETH", "ETH", 0.0, 12)
    assert (token.lower, token.upper) == pytest.approx((1.0001**-202_020 * 1e12, 1.0001**-198_960 * 1e12))
    turned = LIQUIDITY.replace("is_base_first = true", "is_base_first = false")
    turned = turned.replace("tick_lower = -202_020", "tick_lower = 198_960").replace("-198_960", "202_020")
    assert remote_spec(tmp_path, turned).listed[-1].upper == pytest.approx(token.upper)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[liquidity.LP-ETH]", "[liquidity.WETH]", "WETH is a token of this file already"),
        ('base = "WETH"', 'base = "USDC"', "base USDC is no token of this file that is linked"),
        ('base = "WETH"', 'base = "SOL"', "base SOL is no token of this file that is linked"),
        (f'pool = "0x{"4" * 40}"', 'pool = "0x44"', "pool '0x44' is no address"),
        (f'factory = "0x{"5" * 40}"', 'factory = ""', "factory '' is no address"),
        ("tick_lower = -202_020", "tick_lower = -198_960", "ticks -198960 and -198960 are not in order"),
        ("tick_lower = -202_020", "tick_lower = -887_280", "ticks -887280 and -198960 are not in order within -887272"),
        ("haircut = 0.2\n", "haircut = 1.2\n", "haircut 1.2 is outside 0 to 1"),
        ("linked_haircut = 0.05", "linked_haircut = -0.1", "linked_haircut -0.1 is outside 0 to 1"),
        ("deposit_cap", "stipend_gas = 9_999\ndeposit_cap", "stipend_gas 9999 is outside 10000 to 60000"),
        ("deposit_cap", "stipend = 1\ndeposit_cap", "unknown key stipend"),
    ],
)
def test_load_spec__one_mistake_of_liquidity__is_named(tmp_path, old, new, message):
    assert LIQUIDITY.count(old) == 1
    with pytest.raises(InputError, match=message):
        remote_spec(tmp_path, LIQUIDITY.replace(old, new))


@pytest.mark.parametrize(("old", "new", "message"), [
    ("decimals = 18", "decimals = 17", "the decimals of both tokens, 17 and 6, add up to an odd number"),
    ("ratio = 1.0\ndeposit_cap = 1_000_000.0", "ratio = 1.1\ndeposit_cap = 1_000_000.0", "base WETH has the ratio 1.1"),
])  # fmt: skip
def test_load_spec__base_that_no_range_may_have__is_named(tmp_path, old, new, message):
    path = tmp_path / "x.toml"
    assert LOCAL.count(old) == 1
    path.write_text(LOCAL.replace(old, new) + LIQUIDITY, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_spec(str(path), Params())


LOAN = f"""
[loans.LOAN-ETH]
name = "Loan of ether and dollars"
morpho = "0x{"4" * 40}"
market_id = "0x{"a" * 64}"
holder = "0x{"5" * 40}"
base = "WETH"
is_long = true
buffer = 0.02
cost = 0.01
cap = 10_000.0
top_price = 40_000.0
haircut = 0.2
linked_haircut = 0.02
"""


def test_load_spec__loan__is_one_token_linked_like_its_base(tmp_path):
    spec = remote_spec(tmp_path, LIQUIDITY + LOAN)
    assert [token.symbol for token in spec.listed] == ["USDC", "WETH", "WBTC", "LP-ETH", "LOAN-ETH"]
    token = spec.listed[-1]
    assert (token.linked, token.ratio, token.decimals, token.deposit_cap) == ("ETH", 0.0, 18, 1.0)
    assert (token.lower, token.upper, token.outflow_share) == (0.0, 0.0, 1.0)
    assert loan_source(spec.loans[0], "0x")["ceilingE6"] == 400_000_000 * 10**6 + 1
    turned = remote_spec(tmp_path, LOAN.replace("is_long = true", "is_long = false")).loans[0]
    assert loan_source(turned, "0x")["ceilingE6"] == 10_000 * 10**6 + 1
    addresses = dict.fromkeys(("USDC", "Accounts", "Vault", "MarginEngine"), f"0x{'7' * 40}")
    caps = [loan_words(loan, spec.tokens, addresses)[3][3] for loan in (spec.loans[0], turned)]
    assert caps == [10_000 * 10**18, 10_000 * 10**6]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[loans.LOAN-ETH]", "[loans.WETH]", "WETH is a token of this file already"),
        ('base = "WETH"', 'base = "USDC"', "base USDC is no token of this file that is linked"),
        (f'morpho = "0x{"4" * 40}"', 'morpho = "0x44"', "morpho '0x44' is no address"),
        (f'holder = "0x{"5" * 40}"', 'holder = ""', "holder '' is no address"),
        ("a" * 64, "a" * 63, "market_id '0xa+' is no number of 32 bytes"),
        ("buffer = 0.02", "buffer = 0.51", "buffer 0.51 is outside 0 to 0.5"),
        ("cost = 0.01", "cost = nan", "cost nan is outside 0 to 0.5"),
        ("\nhaircut = 0.2", "\nhaircut = 1.2", "haircut 1.2 is outside 0 to 1"),
        ("linked_haircut = 0.02", "linked_haircut = -0.1", "linked_haircut -0.1 is outside 0 to 1"),
        ("cap = 10_000.0", "cap = 0.0", "cap 0.0 must be above 0"),
        ("top_price = 40_000.0", "top_price = -1.0", "top_price -1.0 must be above 0"),
        ("cap = 10_000.0", "cap = 1e9", r"cap at top_price is 4e\+13 of cash, at most 1.84467e\+13 fits"),
        ("cap = 10_000.0", "cap = inf", "cap at top_price is inf of cash"),
        ("cost = 0.01", "cost = 0.01\nstipend_gas = 60_001", "stipend_gas 60001 is outside 10000 to 60000"),
        ("cost = 0.01", "costs = 0.01", "unknown key costs"),
    ],
)
def test_load_spec__one_mistake_of_a_loan__is_named(tmp_path, old, new, message):
    assert LOAN.count(old) == 1
    with pytest.raises(InputError, match=message):
        remote_spec(tmp_path, LOAN.replace(old, new))


def test_load_spec__loan_of_a_token_that_is_not_its_underlying__is_named(tmp_path):
    path, old = tmp_path / "x.toml", "ratio = 1.0\ndeposit_cap = 1_000_000.0"
    path.write_text(LOCAL.replace(old, old.replace("1.0\n", "1.1\n")) + LOAN, encoding="utf-8")
    with pytest.raises(InputError, match=r"base WETH has the ratio 1\.1"):
        load_spec(str(path), Params())


def test_load_spec__symbol_of_a_range__is_named(tmp_path):
    with pytest.raises(InputError, match="LP-ETH names two tokens"):
        remote_spec(tmp_path, LIQUIDITY + LOAN.replace("[loans.LOAN-ETH]", "[loans.LP-ETH]"))
