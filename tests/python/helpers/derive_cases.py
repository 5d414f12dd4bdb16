"""Cases that Derive publishes for its portfolio margin, as accounts of the model.

The venue keeps one JSON file a case beside the tests of its contracts (v2-core, ``PMRM_2/portfolio_cases``), which
``read_case`` reads; ``derive_cases.json`` holds some of them in fewer words, which ``short_cases`` reads.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from plimsoll.analytics.models import derive
from plimsoll.analytics.models.account import ModelAccount, account_of
from plimsoll.analytics.models.examples import FLAT, case_params
from plimsoll.analytics.models.parameters import ModelParams, shipped_params
from plimsoll.model import Kind, Market, Mode, Portfolio, Position, Round, Surface, Token

SHORT = Path(__file__).parent / "derive_cases.json"
#: Any moment later than the longest time that an option has been expired for.
TS = 1_740_000_000
NAME = "BASE"

#: Parameters of a case: group and name in the venue's files, name here.
PARAMETERS = {
    ("SkewShock", "LINEAR_SCALE_CAP"): "skew_linear_scale",
    ("SkewShock", "LINEAR_CBASE"): "skew_linear_base",
    ("SkewShock", "ABS_SCALE_CAP"): "skew_absolute_scale",
    ("SkewShock", "ABS_CBASE"): "skew_absolute_base",
    ("SkewShock", "MIN_K_STAR"): "skew_min_width",
    ("SkewShock", "MIN_WIDTH_SCALE"): "skew_width",
    ("SkewShock", "VOL_PARAM_STATIC"): "skew_vol",
    ("SkewShock", "VOL_PARAM_SCALE"): "skew_vol_slope",
    ("VolShock", "VOLRANGEUP"): "vol_up",
    ("VolShock", "VOLRANGEDOWN"): "vol_down",
    ("VolShock", "MIN_VOL_EVAL_SHOCKED"): "vol_floor",
    ("VolShock", "SHORTTERMPOWER"): "short_power",
    ("VolShock", "LONGTERMPOWER"): "long_power",
    ("VolShock", "DTE_FLOOR"): "least_days",
    ("Margin", "MM_LOSS_FACTOR"): "maintenance_factor",
    ("Margin", "IM_LOSS_FACTOR"): "initial_factor",
    ("Margin", "SHORT_RATE_MULTSCALE"): "short_multiple",
    ("Margin", "LONG_RATE_MULTSCALE"): "long_multiple",
    ("Margin", "SHORT_RATE_ADDSCALE"): "short_add",
    ("Margin", "LONG_RATE_ADDSCALE"): "long_add",
    ("Margin", "BASE_STATIC_DISCOUNT"): "long_base",
    ("Margin", "BASE_STATIC_DISCOUNT_NEG"): "short_base",
    ("BasisContingency", "SCENARIO_SPOT_UP"): "forward_up",
    ("BasisContingency", "SCENARIO_SPOT_DOWN"): "forward_down",
    ("BasisContingency", "BASIS_CONT_ADD_FACTOR"): "forward_add",
    ("BasisContingency", "BASIS_CONT_MULT_FACTOR"): "forward_multiple",
    ("OtherContingency", "PEG_LOSS_THRESHOLD"): "peg_threshold",
    ("OtherContingency", "PEG_LOSS_FACTOR"): "peg_factor",
    ("OtherContingency", "CONF_THRESHOLD"): "confidence_threshold",
    ("OtherContingency", "CONF_MARGIN"): "confidence_rate",
    ("OtherContingency", "MM_PERP_PERCENT"): "perp_maintenance",
    ("OtherContingency", "IM_PERP_PERCENT"): "perp_initial",
    ("OtherContingency", "MM_OPTION_PERCENT"): "option_maintenance",
    ("OtherContingency", "IM_OPTION_PERCENT"): "option_initial",
}
#: The venue's words for the states of a row.
STATES = {"Up": "up", "None": "flat", "Down": "down", "LINEAR": "linear", "ABS": "absolute"}


@dataclass(frozen=True)
class Case:
    """One account under one set of parameters, and the net margins that the venue publishes for it."""

    name: str
    account: ModelAccount
    params: ModelParams
    initial: float
    maintenance: float

    def computed(self):
        """Initial and maintenance margin by the model, net as the venue states them."""
        found = derive.margin(self.account, self.params)
        equity = self.account.market_equity
        return equity - found.initial, equity - found.maintenance


def case_of(short):
    """Make the account of a short case.

    ``collateral``: name, amount, price, confidence, whether it cancels risk, maintenance and initial haircut.
    ``options``: seconds to expiry, strike, 1 for a call, volatility, quantity. ``feeds``: seconds to expiry, forward,
    confidence of it, rate, confidence of it, confidence of volatilities. ``perp``: quantity, price, confidence,
    unrealised profit and funding.
    """
    spot, sure = short["spot"], short.get("confidence", 1.0)
    perps, perp_price, perp_sure, profit = short.get("perp", (0.0, 0.0, 1.0, 0.0))
    vols = {}
    for seconds, strike, _, vol, _ in short.get("options", ()):
        vols.setdefault(seconds, {})[strike] = vol
    surfaces = tuple(
        Surface(TS + t, forward, rate, FLAT, tuple(vols.get(t, {}).items()), min(a, b, c))
        for t, forward, a, rate, b, c in sorted(short.get("feeds", ()))
    )
    tokens = {"USDC": Token("USDC", short.get("stable", 1.0), 0.0)}
    haircuts, collateral = {}, {}
    for name, amount, price, confidence, cancels, maintenance, initial in short.get("collateral", ()):
        linked = (None, 0.0, NAME, 0.0, price / spot) if cancels else (price, 0.0)
        tokens[name] = Token(name, *linked, confidence=confidence)
        haircuts[name], collateral[name] = (maintenance, initial), amount
    positions = [
        Position(NAME, Kind.CALL if call else Kind.PUT, TS + seconds, strike, quantity)
        for seconds, strike, call, _, quantity in short.get("options", ())
    ]
    if perps:
        positions.append(Position(NAME, Kind.PERP, 0, perp_price - profit / perps, perps))
    round_ = Round(NAME, TS, spot, perp_price or spot, sure, surfaces, perp_confidence=perp_sure)
    market = Market(TS, tokens, {NAME: round_})
    shipped = shipped_params("derive", derive.DeriveParams)
    own = replace(case_params(), **(short.get("params", {}) | {"haircuts": haircuts}))
    book = Portfolio(Mode.SINGLE, short["cash"] + (0.0 if perps else profit), collateral, tuple(positions))
    return Case(
        short["name"],
        account_of(market, book),
        replace(shipped, default=own, underlyings={}),
        short["initial"],
        short["maintenance"],
    )


def short_cases():
    """Cases that are kept here."""
    return [case_of(short) for short in json.loads(SHORT.read_text(encoding="utf-8"))["cases"]]


def _rows(scenarios):
    return tuple((r["SpotShock"] - 1.0, STATES[r["VolShockDirection"]], r["DampeningFactor"]) for r in scenarios)


def read_case(path):
    """Read one of the venue's own files."""
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    scenario, parameters, result = (document[key] for key in ("Scenario", "Parameters", "Result"))
    params = {ours: parameters[group][key] for (group, key), ours in PARAMETERS.items()}
    params["forward_up"] -= 1.0
    params["forward_down"] -= 1.0
    profit = scenario["UnrealisedPerpPNL"] + scenario["UnrealisedFunding"]
    short = {
        "name": Path(path).stem,
        "cash": scenario["Cash"],
        "spot": scenario["SpotPrice"],
        "confidence": scenario["SpotConfidence"],
        "perp": (scenario["NumPerps"], scenario["PerpPrice"], scenario["PerpConfidence"], profit),
        "stable": scenario["StablePrice"],
        "collateral": [
            [c[k] for k in ("Name", "Amount", "Price", "Confidence", "IsRiskCancelling", "MMHaircut", "IMHaircut")]
            for c in scenario["Collaterals"]
        ],
        "options": [
            [o[key] for key in ("Expiry", "Strike", "IsCall", "MarkVol", "Amount")] for o in scenario["Options"]
        ],
        "feeds": [
            [
                f[key]
                for key in (
                    "FeedExpiry",
                    "Forward",
                    "ForwardConfidence",
                    "Rate",
                    "RateConfidence",
                    "OptionVolConfidences",
                )
            ]
            for f in scenario["OptionFeeds"]
        ],
        "params": params | {"rows": _rows(parameters["Scenarios"])},
        "initial": result["IM"],
        "maintenance": result["MM"],
    }
    return case_of(short)
