"""Every fix against extraction, and how the contracts read without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plimsoll.params import BookSpec

LIBRARIES = "contracts/libraries"
#: Where a text stands, what it is, and what stands there without the fix.
Change = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fix taken out: changes of sources, the contracts that carry them, and the plays that should notice."""

    row: str
    name: str
    plays: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    book: BookSpec | None = None


RISK = {"RiskEngine": "contracts/risk/RiskEngine.sol"}
MARGIN = {"MarginEngine": "contracts/margin/MarginEngine.sol"}
AUCTION = {"Auction": "contracts/liquidation/Auction.sol"}
EXCHANGE = {"Exchange": "contracts/exchange/Exchange.sol"}
ORACLE = {"Oracle": "contracts/feeds/Oracle.sol"}
ACCOUNTS = {"Accounts": "contracts/accounts/Accounts.sol"}
RATES = {"RateFeed": "contracts/feeds/RateFeed.sol"}
SOURCES = {"SourceBook": "contracts/sources/SourceBook.sol"}
POOL = {"LiquidityToken": "contracts/sources/LiquidityToken.sol"}
LOANS = {"MorphoPosition": "contracts/sources/MorphoPosition.sol"}
CLAIMS = {"RemoteClaims": "contracts/remote/RemoteClaims.sol"}
ESCROW = {"RemoteEscrow": "contracts/remote/RemoteEscrow.sol"}
VAULT = {"Vault": "contracts/accounts/Vault.sol"}
LINES = {"Guarantees": "contracts/accounts/Guarantees.sol"}

CASH_LEGS: Change = (
    f"{LIBRARIES}/RiskPass.sol",
    "if (legCash > size) size = legCash;",
    "",
)
NO_TAILS = BookSpec(tail_moves=(), tail_vols=())
#: A hedge fades out before its expiry, and inside the settlement window what is known of the mean is none.
FADE: Change = (
    f"{LIBRARIES}/RequirementMath.sol",
    "if (timeSec >= FADE_START_SEC) return (1, 1);",
    "return (1, 1);",
)
WINDOW: Change = (
    f"{LIBRARIES}/OptionKernel.sol",
    "if (timeSec < WINDOW_SEC) _openWindow(e, header);",
    "if (timeSec < WINDOW_SEC) (e.openSec, e.knownWadSec, e.rootTimeQ64) = (WINDOW_SEC, 0, _rootQ64(timeSec / 3));",
)

FAULTS = (
    Fault(
        "1",
        "strikes anywhere, cash legs without a charge",
        ("deep strike",),
        (
            CASH_LEGS,
            (
                "contracts/exchange/Listing.sol",
                "uint256 private constant STRIKE_BAND = 8;",
                "uint256 private constant STRIKE_BAND = 1e9;",
            ),
        ),
        RISK | EXCHANGE,
    ),
    Fault("2", "cash legs without a charge", ("box",), (CASH_LEGS,), RISK),
    Fault(
        "3",
        "below initial margin only the excess may not fall",
        ("equity given",),
        (
            (
                f"{LIBRARIES}/MarginMath.sol",
                "if (then_.equityWad - now_.equityWad > int256(limitWad)) {",
                "if (now_.equityWad - int256(now_.initialWad) < then_.equityWad - int256(then_.initialWad)) {",
            ),
            (f"{LIBRARIES}/MarginMath.sol", "if (overNow < overThen) revert", "if (false) revert"),
        ),
        MARGIN,
    ),
    Fault(
        "4",
        "hedges count whole until the second they expire",
        ("hedge that", "hedge of"),
        (FADE, WINDOW),
        RISK,
    ),
    Fault(
        "5",
        "the mark inside the window is spot's, and hedges do not fade before it",
        ("mean known",),
        (WINDOW, FADE),
        RISK,
    ),
    Fault(
        "6",
        "a linked token has a price of its own",
        ("loan against",),
        (
            (
                "contracts/margin/MarginEngine.sol",
                "valueWad = FixedPointMathLib.mulWad(FixedPointMathLib.mulWad(valueWad, c.ratioWad), w.spotsWad[at]);",
                "valueWad = FixedPointMathLib.mulWad(valueWad, ORACLE.tokenPriceOf(s.tokenIds[i]));",
            ),
        ),
        MARGIN,
    ),
    Fault(
        "7",
        "no limit of speed",
        ("captured", "out of nowhere"),
        (
            (
                f"{LIBRARIES}/SpeedLimit.sol",
                "if (uint256(leadWad + limitWad) > 2 * uint256(limitWad)) _fail(field, -leadWad, limitWad);",
                "",
            ),
        ),
        ORACLE,
    ),
    Fault(
        "8",
        "CROSS is a share of the plain sum",
        ("condors",),
        (
            (
                "contracts/risk/RiskEngine.sol",
                "+ RequirementMath.mulUp(_joint(passes, parts), WAD - stressShareWad);",
                ";",
            ),
        ),
        RISK,
    ),
    Fault("9", "nothing beyond the range", ("loss beyond",), book=NO_TAILS),
    Fault(
        "10",
        "expiries share their state of volatility for nothing",
        ("calendar",),
        (
            (
                f"{LIBRARIES}/RequirementMath.sol",
                "return apart > parallel ? mulUp(apart - parallel, rateWad) : 0;",
                "return apart > parallel ? mulUp(apart - parallel, rateWad) * 0 : 0;",
            ),
        ),
        RISK,
    ),
    Fault(
        "11",
        "STANDARD forgets size",
        ("size in",),
        (
            (
                "contracts/risk/RiskEngine.sol",
                "if (!StandardPass.run(p, linkedUnitsWad, standard) && bendsWad.length == 0) return standard;",
                "if (!StandardPass.run(p, linkedUnitsWad, standard) || linkedUnitsWad < 2**200) return standard;",
            ),
        ),
        RISK,
    ),
    Fault(
        "12",
        "a stale token stops the auction's margin",
        ("stale token",),
        (
            (
                "contracts/margin/MarginEngine.sol",
                "_evaluateAccount(FOR_AUCTION, margin, accountId);",
                "_evaluateAccount(PLAIN, margin, accountId);",
            ),
        ),
        MARGIN,
    ),
    Fault(
        "13",
        "clocks run unseen",
        ("auction of",),
        (
            (
                "contracts/liquidation/Auction.sol",
                "if (!isShort || nowTs - auction.vouchedTs >= VOUCH_SEC)",
                "if (auction.vouchedTs > type(uint40).max)",
            ),
        ),
        AUCTION,
    ),
    Fault(
        "14",
        "who leaves before a loss leaves nothing",
        ("loss left",),
        (
            (
                "contracts/accounts/LossShare.sol",
                "if (lossWad == 0) return 0;",
                "if (lossWad < type(uint256).max) return 0;",
            ),
        ),
        VAULT,
    ),
    Fault(
        "15",
        "orders outlive a transfer",
        ("order of",),
        (
            (
                "contracts/exchange/Exchange.sol",
                "if (count != signedCount) revert",
                "if (count > type(uint64).max) revert",
            ),
        ),
        EXCHANGE,
    ),
    Fault(
        "16",
        "price factor of a solvent slice halved",
        ("small bids", "equity given"),
        (
            (
                "contracts/liquidation/Auction.sol",
                "AuctionMath.price(valueWad, m.maintenanceWad, q.priceWad)",
                "AuctionMath.price(valueWad, m.maintenanceWad, q.priceWad / 2)",
            ),
        ),
        AUCTION,
    ),
    Fault(
        "17",
        "an own action may open an insolvency",
        ("insolvency opened",),
        (
            (
                f"{LIBRARIES}/MarginMath.sol",
                "bool deepens = now_.marketEquityWad < 0 && now_.marketEquityWad < then_.marketEquityWad;",
                "bool deepens = false;",
            ),
        ),
        MARGIN,
    ),
    Fault(
        "18",
        "open interest never falls",
        ("equity given", "small bids"),
        (("contracts/accounts/OpenInterest.sol", "if (changeWad == 0) return;", "if (changeWad <= 0) return;"),),
        ACCOUNTS,
    ),
    Fault(
        "25",
        "an owner's action goes by the book's ratio alone",
        ("slashed share", "runs from"),
        (
            (
                "contracts/margin/MarginEngine.sol",
                "else if (w.purpose & OWN != 0) _lower(w, w.collateral[i], s.tokenIds[i]);",
                "",
            ),
        ),
        MARGIN,
    ),
    Fault(
        "26",
        "every margin check reads what a source states now",
        ("rate low",),
        (
            (
                "contracts/margin/MarginEngine.sol",
                "else if (w.purpose & OWN != 0) _lower(w, w.collateral[i], s.tokenIds[i]);",
                "else _lower(w, w.collateral[i], s.tokenIds[i]);",
            ),
        ),
        MARGIN,
    ),
    Fault(
        "27",
        "two observations of one block settle a fall of any size",
        ("rate low",),
        (
            (
                "contracts/feeds/RateFeed.sol",
                "uint256 earliestTs = o.ts + (isFall ? s.fallGapSec : s.gapSec);",
                "uint256 earliestTs = isFall ? 0 : o.ts + s.gapSec;",
            ),
            (
                "contracts/feeds/RateFeed.sol",
                "uint256 leastWad = oldWad - (oldWad * (_bounds[tokenId].maxFallWad - fallenWad)) / WAD;",
                "uint256 leastWad = fallenWad * 0;",
            ),
            (
                "contracts/feeds/RateFeed.sol",
                "o.fallenWad = uint64(fallenWad + ((oldWad - ratioWad) * WAD) / oldWad);",
                "o.fallenWad = uint64(fallenWad);",
            ),
        ),
        RATES,
    ),
    Fault(
        "19",
        "a claim is not booked",
        ("units in", "seized while"),
        (
            (
                "contracts/remote/RemoteClaims.sol",
                "claimedRaw[remoteToken][to] = madeRaw + amountRaw;",
                "claimedRaw[remoteToken][to] = madeRaw;",
            ),
        ),
        CLAIMS,
    ),
    Fault(
        "20",
        "a redemption leaves its claims",
        ("units in", "seized while"),
        (("contracts/remote/RemoteClaims.sol", "token.burn(msg.sender, amountRaw);", ""),),
        CLAIMS,
    ),
    Fault(
        "21",
        "a release is not booked",
        ("units in", "seized while"),
        (("contracts/remote/RemoteEscrow.sol", "releasedRaw[token][to] = provenRaw;", ""),),
        ESCROW,
    ),
    Fault(
        "28",
        "liquidity counts at its units of the spot alone",
        ("hedged at",),
        (
            (
                "contracts/sources/SourceBook.sol",
                "if (bendWad > 0) bendsWad[i] += _weighted(uint256(bendWad), weight);",
                "",
            ),
        ),
        SOURCES,
    ),
    Fault(
        "28",
        "liquidity that is not netted has the haircut of one that is",
        ("without netting",),
        (
            (
                f"{LIBRARIES}/MarginMath.sol",
                "return linkedHaircut(c, FixedPointMathLib.fullMulDivUp(lossWad, WAD, valueWad), false);",
                "return c.linkedHaircutWad;",
            ),
        ),
        MARGIN,
    ),
    Fault(
        "29",
        "who joins a range pays nothing for the fees that lie there",
        ("fees of",),
        (
            (
                "contracts/sources/LiquidityToken.sol",
                "if (supplyRaw == 0) return (0, 0);",
                "if (supplyRaw < type(uint256).max) return (0, 0);",
            ),
        ),
        POOL,
    ),
    Fault(
        "30",
        "a guarantee line counts twice",
        ("count for more",),
        (
            (
                "contracts/accounts/Guarantees.sol",
                "creditWad += _countedOf(_line[uint64(ids)], heldWad);",
                "creditWad += 2 * _countedOf(_line[uint64(ids)], heldWad);",
            ),
        ),
        LINES,
    ),
    Fault(
        "30",
        "a line is settled although its account is short",
        ("taken back",),
        (
            (
                "contracts/accounts/Guarantees.sol",
                "if (m.equityWad < int256(m.maintenanceWad)) {",
                "if (m.equityWad == type(int256).min) {",
            ),
        ),
        LINES,
    ),
    Fault(
        "30",
        "a line is released although its account needs it",
        ("taken back",),
        (
            (
                "contracts/accounts/Guarantees.sol",
                "_end(lineId);\n        _requireInitial(beneficiaryId);",
                "_end(lineId);",
            ),
        ),
        LINES,
    ),
    Fault(
        "30",
        "a sponsor needs no margin without its line",
        ("goes into",),
        (
            (
                "contracts/accounts/Guarantees.sol",
                "ACCOUNTS.moveCash(sponsorId, lineId, amountWad);\n        _requireInitial(sponsorId);",
                "ACCOUNTS.moveCash(sponsorId, lineId, amountWad);",
            ),
        ),
        LINES,
    ),
    Fault(
        "31",
        "collateral and loans come out of an account without a margin check",
        ("steered out",),
        (
            (
                "contracts/sources/LendingPosition.sol",
                "if (accountId != WALLET) MARGIN_ENGINE.enforce(accountId, empty);",
                "if (accountId == type(uint256).max) MARGIN_ENGINE.enforce(accountId, empty);",
            ),
        ),
        LOANS,
    ),
    Fault(
        "32",
        "a loan counts as if its venue never liquidated",
        ("edge of its venue",),
        (
            (f"{LIBRARIES}/LendingMath.sol", "bool isTaken = priceWad < edgeWad;", "bool isTaken = false;"),
            (f"{LIBRARIES}/LendingMath.sol", "_owed(loan, priceWad < edgeWad)", "_owed(loan, false)"),
        ),
        LOANS,
    ),
)
