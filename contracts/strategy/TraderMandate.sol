// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IDelegation} from "../../interfaces/IDelegation.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IStrategyVault} from "../../interfaces/IStrategyVault.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {Units} from "../libraries/Units.sol";

/// @title TraderMandate
/// @notice What a strategy vault lets its trader key do: greeks and losses in shares of what it is worth, and a floor
/// below which it lets it do nothing. See IStrategyVault.
/// @dev The trader key is the adversary here. It signs orders and nothing else; each fill is held to greeks and to a
/// loss against the mark by Delegation; what a mark that is behind the market lets through ends at the floor.
abstract contract TraderMandate is IStrategyVault, AccessManaged {
    uint256 private constant WAD = Units.UWAD;
    uint256 private constant MIN_TERM_SEC = 1 hours;
    uint256 private constant MAX_TERM_SEC = 90 days;
    uint256 private constant MAX_HALF_SPREAD_WAD = 0.1e18;
    uint256 private constant MAX_HALF_VOL_WAD = 0.5e18;
    uint256 private constant MAX_LOSS_SHARE_WAD = 0.1e18;
    uint256 private constant MAX_STOP_SHARE_WAD = 0.5e18;
    uint256 private constant MAX_FEE_WAD = 0.5e18;
    uint256 private constant MAX_UNDERLYINGS = 16;
    /// @dev Delegation takes the largest number for no limit.
    uint256 private constant MOST = type(uint128).max - 1;

    IDelegation private immutable DELEGATION;
    IOracle internal immutable ORACLE;

    Mandate internal _mandate;
    GreekShares[] internal _limits;

    /// @inheritdoc IStrategyVault
    uint256 public override accountId;
    /// @inheritdoc IStrategyVault
    address public override trader;
    uint40 private _termTs;
    /// @inheritdoc IStrategyVault
    bool public override isStopped;
    /// @dev What fills of the term cost under grants that were replaced.
    uint256 private _spentWad;
    uint256 internal _highWad = WAD;
    uint256 internal _floorWad;

    constructor(Protocol memory p, Mandate memory mandate, GreekShares[] memory limits) AccessManaged(p.authority) {
        DELEGATION = IDelegation(p.delegation);
        ORACLE = IOracle(p.oracle);
        _requireMandate(mandate);
        if (limits.length == 0 || limits.length > MAX_UNDERLYINGS) {
            revert StrategyVault__BadMandate("limits", limits.length, MAX_UNDERLYINGS);
        }
        _mandate = mandate;
        for (uint256 i; i < limits.length; ++i) {
            _requireNew(limits[i].underlyingId);
            _limits.push(limits[i]);
        }
        _floorWad = _floorBelow(_highWad);
    }

    /// @inheritdoc IStrategyVault
    function setTrader(address newTrader) external override restricted {
        if (isStopped) revert StrategyVault__IsStopped(_floorWad);
        _dismiss();
        trader = newTrader;
        emit TraderSet(newTrader);
        if (newTrader != address(0)) _grant(_exitNow());
    }

    /// @inheritdoc IStrategyVault
    function renew() external override {
        if (isStopped) revert StrategyVault__IsStopped(_floorWad);
        if (trader == address(0)) revert StrategyVault__NoTrader(trader);
        uint256 exitRaw = _exitNow();
        _bookSpent();
        _grant(exitRaw);
    }

    /// @inheritdoc IStrategyVault
    function halt() external override restricted {
        if (isStopped) revert StrategyVault__IsStopped(_floorWad);
        _stop(0);
    }

    /// @inheritdoc IStrategyVault
    function mandateOf() external view override returns (Mandate memory mandate, GreekShares[] memory limits) {
        (mandate, limits) = (_mandate, _limits);
    }

    /// @dev What all shares are worth on the way out, raw.
    function _exitNow() internal view virtual returns (uint256 exitRaw);

    /// @dev Units of cash in one raw unit.
    function _wadPerRaw() internal view virtual returns (uint256);

    function _stop(uint256 priceWad) internal {
        _dismiss();
        isStopped = true;
        emit Stopped(priceWad, _floorWad);
    }

    /// @dev A floor follows the highest price up and nothing down but governance.
    function _raiseFloor() internal {
        _floorWad = FixedPointMathLib.max(_floorWad, _floorBelow(_highWad));
    }

    function _letGoOn(uint256 priceWad) internal {
        isStopped = false;
        _floorWad = _floorBelow(priceWad);
        emit Resumed(_floorWad);
    }

    function _floorBelow(uint256 priceWad) internal view returns (uint256) {
        return FixedPointMathLib.mulWad(priceWad, WAD - _mandate.stopShareWad);
    }

    /// @dev See ShareRequests: a round of any underlying is enough to keep requests out of an epoch.
    function _newestRoundTs() internal view returns (uint256 newestTs) {
        for (uint256 i; i < _limits.length; ++i) {
            (, uint256 roundTs) = ORACLE.lastSpotOf(_limits[i].underlyingId);
            newestTs = FixedPointMathLib.max(newestTs, roundTs);
        }
    }

    /// @dev A key that names an underlying twice is refused when a trader is set, and then for good.
    function _requireNew(uint8 underlyingId) private view {
        for (uint256 i; i < _limits.length; ++i) {
            if (_limits[i].underlyingId == underlyingId) revert StrategyVault__UnderlyingTwice(underlyingId);
        }
    }

    function _dismiss() private {
        address old = trader;
        if (old == address(0)) return;
        _bookSpent();
        trader = address(0);
        if (DELEGATION.grantOf(accountId, old).grantId != 0) DELEGATION.revoke(accountId, old);
    }

    /// @dev What the grant cost so far counts against the next one of the term. A key that gave its grant up took the
    /// count along: it has spent everything.
    function _bookSpent() private {
        IDelegation.Grant memory g = DELEGATION.grantOf(accountId, trader);
        _spentWad = g.grantId == 0 ? MOST : FixedPointMathLib.min(_spentWad + g.lossWad, MOST);
    }

    function _grant(uint256 exitRaw) private {
        Mandate memory m = _mandate;
        if (block.timestamp >= uint256(_termTs) + m.termSec) (_termTs, _spentWad) = (uint40(block.timestamp), 0);
        uint256 exitWad = exitRaw * _wadPerRaw();
        IDelegation.Terms memory terms;
        terms.untilTs = uint40(block.timestamp + m.termSec);
        terms.kinds = m.kinds;
        uint256 shareWad = FixedPointMathLib.mulWad(exitWad, m.lossShareWad);
        terms.maxLossWad = _most(FixedPointMathLib.zeroFloorSub(shareWad, _spentWad));
        terms.limits = new IDelegation.Limits[](_limits.length);
        for (uint256 i; i < terms.limits.length; ++i) {
            terms.limits[i] = _limitsOf(_limits[i], exitWad);
        }
        emit TraderGranted(trader, terms.maxLossWad, exitRaw);
        DELEGATION.grant(accountId, trader, terms);
    }

    function _limitsOf(GreekShares memory share, uint256 exitWad)
        private
        view
        returns (IDelegation.Limits memory limits)
    {
        (IOracle.Header memory round,) = ORACLE.roundFor(share.underlyingId, new uint40[](0));
        uint256 units = FixedPointMathLib.divWad(exitWad, round.spotWad);
        limits.underlyingId = share.underlyingId;
        limits.maxDeltaWad = _most(FixedPointMathLib.mulWad(units, share.deltaShareWad));
        uint256 gammaUnits = FixedPointMathLib.mulWad(units, share.gammaShareWad);
        limits.maxGammaWad = _most(FixedPointMathLib.divWad(gammaUnits, round.spotWad));
        limits.maxVegaWad = _most(FixedPointMathLib.mulWad(exitWad, share.vegaShareWad));
    }

    function _most(uint256 limitWad) private pure returns (uint128) {
        return uint128(FixedPointMathLib.min(limitWad, MOST));
    }

    function _requireMandate(Mandate memory m) private pure {
        _requireAtMost("kinds", m.kinds, PositionWord.ALL_KINDS);
        _requireAtLeast("kinds", m.kinds, 1);
        _requireAtLeast("termSec", m.termSec, MIN_TERM_SEC);
        _requireAtMost("termSec", m.termSec, MAX_TERM_SEC);
        _requireAtMost("halfSpreadWad", m.halfSpreadWad, MAX_HALF_SPREAD_WAD);
        _requireAtMost("halfVolWad", m.halfVolWad, MAX_HALF_VOL_WAD);
        _requireAtMost("lossShareWad", m.lossShareWad, MAX_LOSS_SHARE_WAD);
        _requireAtLeast("stopShareWad", m.stopShareWad, 1);
        _requireAtMost("stopShareWad", m.stopShareWad, MAX_STOP_SHARE_WAD);
        _requireAtMost("feeWad", m.feeWad, MAX_FEE_WAD);
        if (m.feeWad != 0) _requireAtLeast("feeReceiver", uint160(m.feeReceiver), 1);
    }

    function _requireAtMost(bytes32 field, uint256 observed, uint256 limit) private pure {
        if (observed > limit) revert StrategyVault__BadMandate(field, observed, limit);
    }

    function _requireAtLeast(bytes32 field, uint256 observed, uint256 limit) private pure {
        if (observed < limit) revert StrategyVault__BadMandate(field, observed, limit);
    }
}
