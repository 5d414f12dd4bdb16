// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IDelegation} from "../../interfaces/IDelegation.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {Units} from "../libraries/Units.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title Delegation
/// @notice See IDelegation.
contract Delegation is IDelegation {
    using PositionWord for uint256;

    uint128 private constant NO_LIMIT = type(uint128).max;

    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable MARGIN_ENGINE;

    /// @dev Greeks of one underlying as the margin engine reports them, linked collateral included.
    struct Greeks {
        uint256 underlyingId;
        int256 deltaWad;
        int256 gammaWad;
        int256 vegaWad;
    }

    uint64 private _lastGrantId;
    mapping(uint256 accountId => mapping(address delegate => Grant)) private _grants;
    /// @dev By grant, so that nothing of an older grant shines through.
    mapping(uint256 grantId => mapping(uint256 underlyingId => Limits)) private _limits;

    constructor(IAccounts accounts, IMarginEngine marginEngine) {
        ACCOUNTS = accounts;
        MARGIN_ENGINE = marginEngine;
    }

    /// @inheritdoc IDelegation
    function grant(uint256 accountId, address delegate, Terms calldata terms) external override {
        _requireOwner(accountId);
        if (delegate == address(0) || delegate == msg.sender) revert Delegation__BadDelegate(delegate);
        if (terms.untilTs < block.timestamp) revert Delegation__Expired(terms.untilTs, block.timestamp);
        if (terms.kinds == 0 || terms.kinds > PositionWord.ALL_KINDS) {
            revert Delegation__BadKinds(terms.kinds, PositionWord.ALL_KINDS);
        }
        if (terms.limits.length == 0) revert Delegation__NoUnderlying(0, 1);
        uint64 grantId = ++_lastGrantId;
        for (uint256 i; i < terms.limits.length; ++i) {
            uint256 id = terms.limits[i].underlyingId;
            if (id == 0 || _limits[grantId][id].underlyingId != 0) revert Delegation__BadUnderlying(id);
            _limits[grantId][id] = terms.limits[i];
        }
        uint64 transferCount = uint64(ACCOUNTS.transferCountOf(accountId));
        _grants[accountId][delegate] =
            Grant(grantId, transferCount, terms.untilTs, terms.kinds, terms.maxLossWad, 0);
        emit Granted(accountId, delegate, terms);
    }

    /// @inheritdoc IDelegation
    function revoke(uint256 accountId, address delegate) external override {
        if (msg.sender != delegate) _requireOwner(accountId);
        if (_grantOf(accountId, delegate).grantId == 0) revert Delegation__NotDelegate(delegate, accountId);
        delete _grants[accountId][delegate];
        emit Revoked(accountId, delegate);
    }

    /// @inheritdoc IDelegation
    function afterFill(uint256 accountId, address delegate, Fill[] calldata fills)
        external
        override
        returns (bool isCovered)
    {
        if (!ACCOUNTS.isModule(msg.sender)) revert Delegation__NotModule(msg.sender);
        Grant memory g = _liveGrantOf(accountId, delegate);
        (Limits[] memory limits, bool isLimited) = _limitsOf(g, delegate, fills);
        Greeks[] memory beyond;
        if (isLimited) (beyond, isCovered) = _beyondLimits(accountId, limits);
        uint256 lossWad;
        if (g.maxLossWad != NO_LIMIT || beyond.length != 0) {
            (int256 gainWad, Greeks[] memory changes) = _aloneOf(fills, beyond.length != 0);
            _requireTowardZero(beyond, limits, changes);
            if (gainWad < 0 && g.maxLossWad != NO_LIMIT) lossWad = uint256(-gainWad);
        }
        uint256 totalWad = g.lossWad + lossWad;
        if (totalWad > g.maxLossWad) revert Delegation__LossLimit(totalWad, g.maxLossWad);
        if (lossWad != 0) _grants[accountId][delegate].lossWad = uint128(totalWad);
        emit DelegateTraded(accountId, delegate, lossWad, totalWad);
    }

    /// @inheritdoc IDelegation
    function requireAllowed(uint256 accountId, address delegate, uint256 instrument) external view override {
        _allowed(_liveGrantOf(accountId, delegate), delegate, instrument);
    }

    /// @inheritdoc IDelegation
    function grantOf(uint256 accountId, address delegate) external view override returns (Grant memory) {
        return _grantOf(accountId, delegate);
    }

    /// @inheritdoc IDelegation
    function limitsOf(uint256 accountId, address delegate, uint8 underlyingId)
        external
        view
        override
        returns (Limits memory)
    {
        return _limits[_grantOf(accountId, delegate).grantId][underlyingId];
    }

    function _requireOwner(uint256 accountId) private view {
        if (IERC721(address(ACCOUNTS)).ownerOf(accountId) != msg.sender) {
            revert Delegation__NotOwner(msg.sender, accountId);
        }
    }

    /// @dev A grant of an earlier ownership counts as none.
    function _grantOf(uint256 accountId, address delegate) private view returns (Grant memory g) {
        Grant memory stored = _grants[accountId][delegate];
        if (stored.grantId != 0 && stored.transferCount == ACCOUNTS.transferCountOf(accountId)) g = stored;
    }

    function _liveGrantOf(uint256 accountId, address delegate) private view returns (Grant memory g) {
        g = _grantOf(accountId, delegate);
        if (g.grantId == 0) revert Delegation__NotDelegate(delegate, accountId);
        if (g.untilTs < block.timestamp) revert Delegation__Expired(g.untilTs, block.timestamp);
    }

    function _allowed(Grant memory g, address delegate, uint256 instrument)
        private
        view
        returns (Limits memory limits)
    {
        uint256 kind = instrument.kindOf();
        if ((uint256(g.kinds) >> kind) & 1 == 0) revert Delegation__KindNotAllowed(kind, g.kinds);
        limits = _limits[g.grantId][instrument.underlyingOf()];
        if (limits.underlyingId == 0) {
            revert Delegation__UnderlyingNotAllowed(instrument.underlyingOf(), delegate);
        }
    }

    /// @dev The limits of every underlying that is traded, each once; reverts when a leg is outside the scope.
    function _limitsOf(Grant memory g, address delegate, Fill[] calldata fills)
        private
        view
        returns (Limits[] memory limits, bool isLimited)
    {
        limits = new Limits[](fills.length);
        uint256 count;
        for (uint256 i; i < fills.length; ++i) {
            Limits memory found = _allowed(g, delegate, fills[i].instrument);
            uint256 at;
            while (at < count && limits[at].underlyingId != found.underlyingId) ++at;
            if (at != count) continue;
            limits[count++] = found;
            if (found.maxDeltaWad & found.maxGammaWad & found.maxVegaWad != NO_LIMIT) isLimited = true;
        }
        assembly ("memory-safe") {
            // Shorten the array to what was found; equivalent: copy the first `count` elements.
            mstore(limits, count)
        }
    }

    /// @dev The account as it is, in one evaluation: whether it has its initial margin, and its greeks when any is
    /// beyond a limit; no greeks when all are within.
    function _beyondLimits(uint256 accountId, Limits[] memory limits)
        private
        view
        returns (Greeks[] memory beyond, bool isCovered)
    {
        IAccounts.Snapshot memory s = ACCOUNTS.snapshotOf(accountId);
        (IMarginEngine.MarginState memory m, IRiskEngine.UnderlyingDetail[] memory details) =
            MARGIN_ENGINE.evaluateDetailed(s);
        // Where a token is lowered in the own measure the exchange asks for that one.
        isCovered = m.equityWad >= int256(m.initialWad)
            && (s.tokenIds.length == 0 || !MARGIN_ENGINE.isLowered(s.tokenIds));
        Greeks[] memory found = _greeksOf(m, details);
        for (uint256 i; i < limits.length; ++i) {
            Greeks memory g = _find(found, limits[i].underlyingId);
            bool isWithin = WadMath.abs(g.deltaWad) <= limits[i].maxDeltaWad
                && WadMath.abs(g.gammaWad) <= limits[i].maxGammaWad && WadMath.abs(g.vegaWad) <= limits[i].maxVegaWad;
            if (!isWithin) beyond = found;
        }
    }

    /// @dev The fill as an account of its own: its market equity is what it gains at the mark, its greeks are what it
    /// changes.
    function _aloneOf(Fill[] calldata fills, bool detailed)
        private
        view
        returns (int256 gainWad, Greeks[] memory changes)
    {
        IAccounts.Snapshot memory s;
        s.mode = uint8(IAccounts.Mode.SINGLE);
        s.positions = new uint256[](fills.length);
        for (uint256 i; i < fills.length; ++i) {
            Fill calldata f = fills[i];
            int256 priceE8 = f.instrument.priceE8Of();
            if (f.instrument.isOption()) s.cashWad -= WadMath.mulWadUp(f.quantityWad, int256(f.priceWad));
            else priceE8 = int256(f.priceWad) / Units.E8_TO_WAD;
            s.positions[i] = PositionWord.pack(
                f.instrument.underlyingOf(), f.instrument.kindOf(), f.instrument.expiryOf(), priceE8, f.quantityWad
            );
        }
        if (!detailed) return (MARGIN_ENGINE.evaluate(s).marketEquityWad, changes);
        (IMarginEngine.MarginState memory m, IRiskEngine.UnderlyingDetail[] memory details) =
            MARGIN_ENGINE.evaluateDetailed(s);
        return (m.marketEquityWad, _greeksOf(m, details));
    }

    /// @dev What is beyond a limit must have been so before the fill, and farther: then the fill brings it toward zero.
    function _requireTowardZero(Greeks[] memory beyond, Limits[] memory limits, Greeks[] memory changes)
        private
        pure
    {
        if (beyond.length == 0) return;
        for (uint256 i; i < limits.length; ++i) {
            Limits memory max = limits[i];
            Greeks memory now_ = _find(beyond, max.underlyingId);
            Greeks memory change = _find(changes, max.underlyingId);
            if (!_passes(change.deltaWad, now_.deltaWad, max.maxDeltaWad)) {
                revert Delegation__DeltaLimit(now_.deltaWad, max.maxDeltaWad);
            }
            if (!_passes(change.gammaWad, now_.gammaWad, max.maxGammaWad)) {
                revert Delegation__GammaLimit(now_.gammaWad, max.maxGammaWad);
            }
            if (!_passes(change.vegaWad, now_.vegaWad, max.maxVegaWad)) {
                revert Delegation__VegaLimit(now_.vegaWad, max.maxVegaWad);
            }
        }
    }

    function _greeksOf(IMarginEngine.MarginState memory m, IRiskEngine.UnderlyingDetail[] memory details)
        private
        pure
        returns (Greeks[] memory greeks)
    {
        greeks = new Greeks[](details.length);
        for (uint256 i; i < details.length; ++i) {
            IRiskEngine.UnderlyingDetail memory d = details[i];
            greeks[i] = Greeks(m.underlyings[i].underlyingId, d.deltaWad, d.gammaWad, d.vegaWad);
        }
    }

    /// @dev Greeks of one underlying; all 0 where nothing of it is held.
    function _find(Greeks[] memory greeks, uint256 underlyingId) private pure returns (Greeks memory found) {
        for (uint256 i; i < greeks.length; ++i) {
            if (greeks[i].underlyingId == underlyingId) return greeks[i];
        }
    }

    function _passes(int256 changeWad, int256 nowWad, uint128 maxWad) private pure returns (bool) {
        int256 limitWad = int256(uint256(maxWad));
        if (nowWad > limitWad) return changeWad <= 0;
        return nowWad >= -limitWad || changeWad >= 0;
    }
}
