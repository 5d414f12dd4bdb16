"""Every bad input is one InputError that names the file and the key; good input is read as written."""

from copy import deepcopy
from math import inf, nan

import pytest
from helpers.documents import load
from helpers.examples import DELETE, EXPIRY, MARKET, PARAMS, PORTFOLIO, TS, changed

from plimsoll.errors import InputError
from plimsoll.files.market import load_market
from plimsoll.files.params import load_params
from plimsoll.model import Kind, Mode
from plimsoll.params import BookSpec

ETH = ("underlyings", "ETH")
SLICE = (*ETH, "expiries", 0)
SVI = (*SLICE, "svi")
OPTION = ("positions", 0)
SECOND = deepcopy(MARKET["underlyings"]["ETH"]["expiries"][0])
#: A token that lacks the range of its liquidity.
LP = {"haircut": 0.2, "linked": "ETH", "linkedHaircut": 0.05}

BAD_MARKET = [
    (("schema",), "plimsoll.market/2", "schema: 'plimsoll.market/2' is not 'plimsoll.market/1'"),
    (("schema",), DELETE, "missing key 'schema'"),
    (("extra",), 1, "unknown key 'extra'"),
    (("timestamp",), DELETE, "missing key 'timestamp'"),
    (("timestamp",), 1.5, "timestamp: 1.5 is not a whole number"),
    (("timestamp",), -1, "timestamp: -1 is outside"),
    (("timestamp",), 10**13, "timestamp: 10000000000000 is outside 1 to 1099511627775: unix seconds are wanted"),
    (("timestamp",), 1_770_326_940_000, "timestamp: 1770326940000 is in milliseconds; unix seconds are wanted, which"),
    (("timestamp",), 1_770_326_940 * 10**9, "is in nanoseconds; unix seconds are wanted, which is 1770326940"),
    (("timestamp",), "now", "timestamp: expected a number, got a string"),
    (("tokens", "USDC"), DELETE, "tokens: missing key 'USDC'"),
    (("tokens", "DAI", "haircut"), DELETE, "tokens.DAI: missing key 'haircut'"),
    (("tokens", "DAI", "haircut"), 1.01, "tokens.DAI.haircut: 1.01 is outside [0, 1]"),
    (("tokens", "DAI", "price"), 0, "tokens.DAI.price: 0 is outside"),
    (("tokens", "WETH", "linkedHaircut"), DELETE, "tokens.WETH: missing key 'linkedHaircut'"),
    (("tokens", "WETH", "linked"), "DOGE", "tokens.WETH.linked: 'DOGE' is not an underlying"),
    (("tokens", "WETH", "linked"), DELETE, "needs the key 'linked'"),
    (("tokens", "WETH", "price"), 1900.0, "tokens.WETH.price: a token linked to ETH has no price of its own"),
    (("tokens", "DAI", "price"), DELETE, "tokens.DAI: missing key 'price'"),
    (("tokens", "USDC"), {"linked": "ETH"}, "tokens.USDC.linked: the cash token is linked to no underlying"),
    ((*ETH, "settlementMean"), 1900.0, "ETH.settlementMean: no expiry is within 1800 s"),
    ((*SLICE, "expiry"), TS + 1_799, f"underlyings.ETH: missing key 'settlementMean': expiry {TS + 1_799}"),
    (
        (*ETH, "expiries"),
        [{**SECOND, "expiry": TS + at} for at in (0, 1_799)],
        f"expiries: {TS} and {TS + 1_799} are both in a settlement window",
    ),
    (("tokens", "WETH", "ratio"), 0, "tokens.WETH.ratio: 0 is outside"),
    (("tokens", "WETH", "range"), {"lower": 1, "upper": 5}, "tokens.WETH.ratio: liquidity of a range has no ratio"),
    (("tokens", "LP"), LP | {"range": 5}, "tokens.LP.range: expected an object, got a number"),
    (("tokens", "LP"), LP | {"range": {"lower": 5}}, "tokens.LP.range: missing key 'upper'"),
    (("tokens", "LP"), LP | {"range": {"lower": 0, "upper": 5}}, "tokens.LP.range.lower: 0 is outside"),
    (("tokens", "LP"), LP | {"range": {"lower": 5, "upper": 5}}, "tokens.LP.range.upper: 5 is outside"),
    (("tokens", "DAI", "range"), {"lower": 1, "upper": 5}, "tokens.DAI.range: needs the key 'linked' beside it"),
    (("tokens", "A B"), {"price": 1, "haircut": 0}, "a symbol is 1 to 31 printable"),
    (("underlyings",), {}, "underlyings: is empty"),
    (("underlyings",), [], "underlyings: expected an object, got an array"),
    ((*ETH, "spot"), True, "underlyings.ETH.spot: expected a number, got a boolean"),
    ((*ETH, "spot"), "1900", "underlyings.ETH.spot: expected a number, got a string"),
    ((*ETH, "spot"), None, "underlyings.ETH.spot: expected a number, got null"),
    ((*ETH, "spot"), nan, "underlyings.ETH.spot: nan is not a finite number"),
    ((*ETH, "perp"), inf, "underlyings.ETH.perp: inf is not a finite number"),
    ((*ETH, "perp"), 10**400, "underlyings.ETH.perp: the number is too large"),
    ((*ETH, "spot"), -1900.0, "underlyings.ETH.spot: -1900 is outside"),
    ((*ETH, "spot"), 1.1e12, "underlyings.ETH.spot: 1.1e+12 is outside"),
    ((*ETH, "confidence"), 1.1, "underlyings.ETH.confidence: 1.1 is outside [0, 1]"),
    ((*ETH, "confidence"), -0.1, "underlyings.ETH.confidence: -0.1 is outside [0, 1]"),
    ((*SLICE, "expiry"), TS - 1, "expired"),
    ((*SLICE, "expiry"), TS + 11 * 365 * 86_400, "more than 10 years"),
    ((*SLICE, "forward"), 0, "expiries[0].forward: 0 is outside"),
    ((*SLICE, "rate"), 10, "expiries[0].rate: 10 is outside [-9, 9]"),
    ((*ETH, "expiries", 1), SECOND, f"expiries[1].expiry: {EXPIRY} does not come after {EXPIRY}"),
    (
        (*ETH, "expiries"),
        [{**SECOND, "expiry": EXPIRY + i} for i in range(13)],
        "expiries: 13 entries, the limit is 12",
    ),
    ((*SVI, "rho"), 1.2, "underlyings.ETH.expiries[0].svi.rho: 1.2 is outside (-1, 1)"),
    ((*SVI, "rho"), -1, "svi.rho: -1 is outside (-1, 1)"),
    ((*SVI, "b"), -0.01, "svi.b: -0.01 is outside"),
    ((*SVI, "sigma"), 0, "svi.sigma: 0 is outside"),
    ((*SVI, "a"), -0.01, "smallest total variance"),
    ((*SVI, "b"), 1.9, "svi: the wing slope b*(1+|rho|) is 2.28, the limit is 2"),
    ((*SVI, "m"), DELETE, "svi: missing key 'm'"),
]
BAD_PORTFOLIO = [
    (("schema",), "plimsoll.market/1", "schema:"),
    (("mode",), "single", "mode: 'single' is not one of SINGLE, STANDARD, CROSS"),
    (("cash",), None, "cash: expected a number, got null"),
    (("cash",), nan, "cash: nan is not a finite number"),
    (("positions",), DELETE, "missing key 'positions'"),
    (("positions",), {}, "positions: expected an array, got an object"),
    ((*OPTION, "underlying"), "SOL", "positions[0].underlying: 'SOL' is not an underlying"),
    ((*OPTION, "kind"), "swap", "positions[0].kind: 'swap' is not one of"),
    ((*OPTION, "kind"), DELETE, "positions[0]: missing key 'kind'"),
    ((*OPTION, "right"), "Call", "positions[0].right: 'Call' is not one of call, put"),
    ((*OPTION, "expiry"), EXPIRY + 1, "is not an expiry of ETH"),
    ((*OPTION, "expiry"), TS - 1, "expired"),
    ((*OPTION, "strike"), 0, "positions[0].strike: 0 is outside"),
    ((*OPTION, "strike"), -1, "positions[0].strike: -1 is outside"),
    ((*OPTION, "strike"), 2000.123456789, "more than 8 decimals"),
    ((*OPTION, "strike"), 2.4e13, "positions[0].strike: 2.4e+13 is outside (0, 2.3e+13]"),
    ((*OPTION, "entry"), 5.0, "positions[0]: unknown key 'entry'"),
    ((*OPTION, "quantity"), 0, "positions[0].quantity: 0 is no position"),
    ((*OPTION, "quantity"), 1e16, "positions[0].quantity: 1e+16 is outside"),
    ((*OPTION, "quantity"), True, "positions[0].quantity: expected a number, got a boolean"),
    (("positions", 1, "entry"), -1, "positions[1].entry: -1 is outside"),
    (("positions", 1, "entry"), DELETE, "positions[1]: missing key 'entry'"),
    (("positions", 1, "expiry"), EXPIRY, "positions[1]: unknown key 'expiry'"),
    (("positions", 3), PORTFOLIO["positions"][0], "positions[3]: is the same instrument as positions[0]"),
    (("positions", 3), {**PORTFOLIO["positions"][1], "entry": 1.0}, "is the same instrument as positions[1]"),
    (("positions", 3), {**PORTFOLIO["positions"][2], "entry": 1.0}, "is the same instrument as positions[2]"),
    (("positions", 1), 7, "positions[1]: expected an object, got a number"),
    (
        ("positions",),
        [{**PORTFOLIO["positions"][0], "strike": 1000.0 + i} for i in range(129)],
        "positions: 129 entries, the limit is 128",
    ),
    (("collateral", 0, "token"), "WBTC", "collateral[0].token: 'WBTC' is not a token"),
    (("collateral", 0, "amount"), -1, "collateral[0].amount: -1 is outside"),
    (("collateral", 1), {"token": "WETH", "amount": 1}, "collateral[1].token: 'WETH' appears twice"),
]
BAD_PARAMS = [
    (("schema",), "plimsoll.params/2", "schema:"),
    (("price_range",), 0.1, "unknown key 'price_range'"),
    (("priceRange",), 0, "priceRange: 0 is outside"),
    (("priceRange",), {"ETH": "x"}, "priceRange.ETH: expected a number, got a string"),
    (("priceRange",), {"ETH": 0.51}, "priceRange.ETH: 0.51 is outside"),
    (("volDown",), 1.5, "volDown: 1.5 is outside [0, 1]"),
    (("stressShare",), 1.1, "stressShare: 1.1 is outside [0, 1]"),
    (("stressShare",), {"ETH": 0.5}, "stressShare: expected a number, got an object"),
    (("rhoHigh",), 0.9, "unknown key 'rhoHigh'"),
    (("skewRate",), -1, "skewRate: -1 is outside [0, 2]"),
    (("debtRate",), 1.5, "debtRate: 1.5 is outside [0, 1]"),
    (("closeShare",), 1.5, "closeShare: 1.5 is outside [0, 1]"),
    (("bonusShare",), {}, "bonusShare: expected a number, got an object"),
    (("fundPerHour",), 2, "fundPerHour: 2 is outside [0, 1]"),
    (("N0",), 0, "N0: 0 is outside"),
    (("book",), "span", "book: 'span' is not one of default"),
    (("book",), 7, "book: expected an object, got a number"),
    (("book", "rows"), [], "book: unknown key 'rows'"),
    (("book", "grid", "moves"), [-1, 1], "book: grid.moves: does not contain 0"),
    (("book",), {"grid": {"moves": [0], "vols": ["up"]}}, "book: grid.moves: holds one move; an interval to certify"),
    (("book", "grid", "moves"), [0, -1], "book: grid.moves: -1 does not come after 0"),
    (("book", "grid", "moves"), [0, nan], "book.grid.moves[1]: nan is not a finite number"),
    (("book", "tails", "moves"), [101], "book: tails.moves: 101 price ranges are outside [-100, 100]"),
    (("book", "tails", "moves"), [50], "book: a move of 12.5 of the price is above 9"),
    (
        ("book",),
        {
            "grid": {"moves": [-8, 0], "vols": ["up", "flat"]},
            "tails": {"moves": [9], "vols": ["up"]},
            "skew": {"size": 0.25, "at": []},
        },
        "book.grid.moves: -2 of the price is below -0.95",
    ),
    (("book", "grid", "vols"), [], "book: grid.vols: is empty"),
    (("book", "grid", "vols"), ["up", "up"], "book.grid.vols[1]: 'up' appears twice"),
    (("book", "grid", "vols"), ["high"], "book.grid.vols[0]: 'high' is not one of up, flat, down"),
    (("book", "grid", "vols"), ["up"], "book: tails.vols: 'flat' is no vol state of the grid"),
    (("book", "tails", "moves"), [1, 2], "book: tails.moves: 1 is not beyond the outermost move of the grid, 1"),
    (("book", "tails", "moves"), [], "book: tails: moves and vol states belong together"),
    (("book", "tails", "moves"), [2 + 0.1 * i for i in range(15)], "book: 79 rows, the limit is 48"),
    (("book", "skew", "size"), 1.0, "book: skew.size: 1 is outside [0, 0.99]"),
    (("book", "skew", "at", 2), {"move": 0, "vol": "flat"}, "book: skew.at: names a place twice"),
    (("book", "skew", "at", 0), {"move": 2, "vol": "up"}, "book: skew.at: (2, up) is no row of the grid"),
    (("book", "skew", "at", 0), {"move": 0}, "book.skew.at[0]: missing key 'vol'"),
    (("book", "skew", "at", 0, "vol"), "wide", "book.skew.at[0].vol: 'wide' is not one of up, flat, down"),
    (("imFactor",), 0.5, "imFactor 0.5 is below mmFactor 0.8"),
    (("mmFactor",), nan, "mmFactor: nan is not a finite number"),
]


def label(case):
    return ".".join(map(str, case[0])) + f"={str(case[1])[:20]}"


def refused(load_it, name, message):
    with pytest.raises(InputError) as caught:
        load_it()
    assert f"/{name}: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("case", BAD_MARKET, ids=label)
def test_load_market__one_thing_wrong__names_file_and_key(case):
    refused(lambda: load(changed(MARKET, *case[:2]), PORTFOLIO), "M.json", case[2])


@pytest.mark.parametrize("case", BAD_PORTFOLIO, ids=label)
def test_load_portfolio__one_thing_wrong__names_file_and_key(case):
    refused(lambda: load(MARKET, changed(PORTFOLIO, *case[:2])), "P.json", case[2])


@pytest.mark.parametrize("case", BAD_PARAMS, ids=label)
def test_load_params__one_thing_wrong__names_file_and_key(case):
    refused(lambda: load(MARKET, PORTFOLIO, changed(PARAMS, *case[:2])), "R.json", case[2])


def test_load_params__part_of_a_book__takes_the_rest_from_the_default():
    book = load(MARKET, PORTFOLIO, {"book": {"tails": {"moves": [2.5], "vols": ["up"]}}})[2].book
    assert (book.tail_moves, book.tail_vols) == ((2.5,), ("up",))
    assert (book.grid_moves, book.skew_at) == (BookSpec().grid_moves, BookSpec().skew_at)
    assert load(MARKET, PORTFOLIO, {"book": "default"})[2].book == BookSpec()


def test_load_params__underlying_unknown_to_the_market__is_refused(tmp_path):
    path = tmp_path / "R.json"
    path.write_text('{"volUp": {"DOGE": 0.5}}')
    assert load_params(path).for_underlying("DOGE").vol_up == 0.5
    refused(lambda: load_params(path, {"ETH"}), "R.json", "volUp.DOGE: 'DOGE' is not an underlying")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("{", "is not valid JSON"),
        ("[]", "expected a JSON object"),
        ("1", "expected a JSON object"),
        ('{"schema": 1, "schema": 1}', "key 'schema' appears twice"),
        ('{"a": ' * 60_000, "is nested too deeply"),
        ('{"a": ' + "9" * 5_000 + "}", "is not valid JSON"),
    ],
    ids=["empty", "cut", "array", "number", "twice", "deep", "long"],
)
def test_load_market__not_a_document__is_refused(tmp_path, content, message):
    path = tmp_path / "M.json"
    path.write_text(content)
    refused(lambda: load_market(path), "M.json", message)


def test_load_market__not_utf8_or_no_file__is_refused(tmp_path):
    (tmp_path / "M.json").write_bytes(b"\xff\xfe{}")
    refused(lambda: load_market(tmp_path / "M.json"), "M.json", "is not UTF-8 text")
    refused(lambda: load_market(tmp_path), tmp_path.name, "cannot be read")
    refused(lambda: load_market(tmp_path / "none.json"), "none.json", "cannot be read")


def test_file__is_named_as_it_was_given(tmp_path, monkeypatch):
    """Two files of one name in two folders: a name alone would not say which."""
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "M.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^later/M\.json: missing key 'schema'$"):
        load_market("later/M.json")
    with pytest.raises(InputError, match=r"^none/M\.json: cannot be read"):
        load_market("none/M.json")


def test_load__valid_files__are_read_as_written():
    market, folio, params = load(MARKET, PORTFOLIO, PARAMS)
    assert market.rounds["ETH"].surfaces[0].svi.rho == -0.2
    assert market.rounds["BTC"].surfaces == ()
    assert (market.tokens["USDC"].haircut, market.tokens["WETH"].linked_haircut) == (0.0, 0.02)
    assert folio.mode is Mode.SINGLE
    assert [p.kind for p in folio.positions] == [Kind.CALL, Kind.PERP, Kind.FUTURE]
    assert folio.collateral == {"WETH": 2.0}
    assert params.account.stress_share == 0.8
    assert (params.book.grid_vols, params.book.grid_moves) == (("up", "flat", "down"), (-1.0, -0.5, 0.0, 0.5, 1.0))
    assert (params.book.tail_vols, params.book.skew_at) == (("up", "flat"), ((-1.0, "up"), (0.0, "flat")))
    assert (market.tokens["WETH"].price, market.price_of("WETH")) == (None, 1_900.0)
    assert params.for_underlying("ETH").price_range == 0.2
    assert params.for_underlying("BTC").price_range == 0.23
    assert {params.for_underlying(name).vol_up for name in ("ETH", "BTC", "SOL")} == {0.6}


def test_load__edges_of_the_domain__are_accepted():
    at_expiry = changed(changed(MARKET, (*SLICE, "expiry"), TS), (*ETH, "settlementMean"), 1_899.0)
    flat = changed(at_expiry, SVI, {"a": 0.0, "b": 0.0, "rho": 0.0, "m": 0.0, "sigma": 0.1})
    folio = deepcopy(PORTFOLIO)
    for position in folio["positions"]:
        if "expiry" in position:
            position["expiry"] = TS
    folio["positions"][0]["strike"] = 5_000_000.12345678
    folio["positions"][1]["entry"] = 1910.123456789012
    market, read, _ = load(flat, folio)
    assert market.rounds["ETH"].surfaces[0].expiry_ts == TS
    assert market.rounds["ETH"].mean == 1_899.0
    assert (
        load(changed(MARKET, (*SLICE, "expiry"), TS + 1_800), {**PORTFOLIO, "positions": []})[0].rounds["ETH"].mean
        is None
    )
    assert read.positions[0].price == 5_000_000.12345678
    assert load(MARKET, {k: v for k, v in PORTFOLIO.items() if k != "collateral"})[1].collateral == {}
    touching = {"a": -0.03 * 0.1 * (1 - 0.2**2) ** 0.5, "b": 0.03, "rho": -0.2, "m": 0.0, "sigma": 0.1}
    load(changed(MARKET, SVI, touching), PORTFOLIO)
