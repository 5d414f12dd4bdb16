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

    uint256 private constant ALL_KINDS = 15;
    uint128 private constant NO_LIMIT = type(uint128).max;

    IAccounts private immutable ACCOUNTS;
    IMarginEngine private immutable MARGIN_ENGINE;

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
        if (terms.kinds == 0 || terms.kinds > ALL_KINDS) revert Delegation__BadKinds(terms.kinds, ALL_KINDS);
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
    function afterFill(
        uint256 accountId,
        address delegate,
        uint256 instrument,
        int256 quantityWad,
        uint256 priceWad,
        IAccounts.Snapshot calldata before_
    ) external override {
        if (!ACCOUNTS.isModule(msg.sender)) revert Delegation__NotModule(msg.sender);
        Limits memory limits = _allowed(accountId, delegate, instrument);
        Grant storage g = _grants[accountId][delegate];
        (uint256 lossWad, uint256 totalWad) = (0, g.lossWad);
        if (g.maxLossWad != NO_LIMIT) {
            lossWad = _lossOf(instrument, quantityWad, priceWad);
            totalWad += lossWad;
            if (totalWad > g.maxLossWad) revert Delegation__LossLimit(totalWad, g.maxLossWad);
            g.lossWad = uint128(totalWad);
        }
        _requireLimits(limits, accountId, before_);
        emit DelegateTraded(accountId, delegate, instrument, lossWad, totalWad);
    }

    /// @inheritdoc IDelegation
    function requireAllowed(uint256 accountId, address delegate, uint256 instrument) external view override {
        _allowed(accountId, delegate, instrument);
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

    function _allowed(uint256 accountId, address delegate, uint256 instrument)
        private
        view
        returns (Limits memory limits)
    {
        Grant memory g = _grantOf(accountId, delegate);
        if (g.grantId == 0) revert Delegation__NotDelegate(delegate, accountId);
        if (g.untilTs < block.timestamp) revert Delegation__Expired(g.untilTs, block.timestamp);
        uint256 kind = instrument.kindOf();
        if ((uint256(g.kinds) >> kind) & 1 == 0) revert Delegation__KindNotAllowed(kind, g.kinds);
        limits = _limits[g.grantId][instrument.underlyingOf()];
        if (limits.underlyingId == 0) {
            revert Delegation__UnderlyingNotAllowed(instrument.underlyingOf(), delegate);
        }
    }

    /// @dev The fill as an account of its own: its market equity is what it gains at the mark.
    function _lossOf(uint256 instrument, int256 quantityWad, uint256 priceWad) private view returns (uint256) {
        IAccounts.Snapshot memory s;
        s.mode = uint8(IAccounts.Mode.STANDARD);
        int256 priceE8 = instrument.priceE8Of();
        if (instrument.isOption()) s.cashWad = -WadMath.mulWadUp(quantityWad, int256(priceWad));
        else priceE8 = int256(priceWad) / Units.E8_TO_WAD;
        s.positions = new uint256[](1);
        s.positions[0] = PositionWord.pack(
            instrument.underlyingOf(), instrument.kindOf(), instrument.expiryOf(), priceE8, quantityWad
        );
        int256 gainWad = MARGIN_ENGINE.evaluate(s).marketEquityWad;
        return gainWad < 0 ? uint256(-gainWad) : 0;
    }

    function _requireLimits(Limits memory max, uint256 accountId, IAccounts.Snapshot calldata before_) private view {
        if (max.maxDeltaWad & max.maxGammaWad & max.maxVegaWad == NO_LIMIT) return;
        IRiskEngine.UnderlyingDetail memory now_ = _greeksOf(ACCOUNTS.snapshotOf(accountId), max.underlyingId);
        bool isWithin = WadMath.abs(now_.deltaWad) <= max.maxDeltaWad && WadMath.abs(now_.gammaWad) <= max.maxGammaWad
            && WadMath.abs(now_.vegaWad) <= max.maxVegaWad;
        if (isWithin) return;
        // Only a fill beyond a limit pays for the greeks before it.
        IRiskEngine.UnderlyingDetail memory then_ = _greeksOf(before_, max.underlyingId);
        if (!_passes(then_.deltaWad, now_.deltaWad, max.maxDeltaWad)) {
            revert Delegation__DeltaLimit(now_.deltaWad, max.maxDeltaWad);
        }
        if (!_passes(then_.gammaWad, now_.gammaWad, max.maxGammaWad)) {
            revert Delegation__GammaLimit(now_.gammaWad, max.maxGammaWad);
        }
        if (!_passes(then_.vegaWad, now_.vegaWad, max.maxVegaWad)) {
            revert Delegation__VegaLimit(now_.vegaWad, max.maxVegaWad);
        }
    }

    /// @dev Greeks of one underlying as the margin engine reports them, linked collateral included; all 0 without any.
    function _greeksOf(IAccounts.Snapshot memory s, uint8 underlyingId)
        private
        view
        returns (IRiskEngine.UnderlyingDetail memory detail)
    {
        // Neither the mode nor other underlyings change these greeks; so it is cheapest.
        s.mode = uint8(IAccounts.Mode.SINGLE);
        s.positions = _positionsOf(s.positions, underlyingId);
        (IMarginEngine.MarginState memory m, IRiskEngine.UnderlyingDetail[] memory details) =
            MARGIN_ENGINE.evaluateDetailed(s);
        for (uint256 i; i < details.length; ++i) {
            if (m.underlyings[i].underlyingId == underlyingId) return details[i];
        }
    }

    function _positionsOf(uint256[] memory words, uint8 underlyingId) private pure returns (uint256[] memory found) {
        uint256 count;
        for (uint256 i; i < words.length; ++i) {
            if (words[i].underlyingOf() == underlyingId) words[count++] = words[i];
        }
        found = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            found[i] = words[i];
        }
    }

    function _passes(int256 thenWad, int256 nowWad, uint128 maxWad) private pure returns (bool) {
        int256 limitWad = int256(uint256(maxWad));
        if (nowWad > limitWad) return nowWad <= thenWad;
        return nowWad >= -limitWad || nowWad >= thenWad;
    }
}
