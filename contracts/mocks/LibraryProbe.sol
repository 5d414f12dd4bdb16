// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {AnchorWord} from "../libraries/AnchorWord.sol";
import {AuctionMath} from "../libraries/AuctionMath.sol";
import {LinearMath} from "../libraries/LinearMath.sol";
import {MarginMath} from "../libraries/MarginMath.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {RequirementMath} from "../libraries/RequirementMath.sol";
import {SettlementMath} from "../libraries/SettlementMath.sol";
import {SpeedLimit} from "../libraries/SpeedLimit.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title LibraryProbe
/// @notice The small pure libraries behind external functions, many calls at a time.
contract LibraryProbe {
    /// @notice Runs many calls of this contract; a failed one returns its revert data.
    /// @param calls Call data.
    /// @return ok Whether each call succeeded.
    /// @return results What each call returned.
    function batch(bytes[] calldata calls) external view returns (bool[] memory ok, bytes[] memory results) {
        ok = new bool[](calls.length);
        results = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            (ok[i], results[i]) = address(this).staticcall(calls[i]);
        }
    }

    function mulWadDown(int256 a, int256 b) external pure returns (int256) {
        return WadMath.mulWadDown(a, b);
    }

    function mulWadUp(int256 a, int256 b) external pure returns (int256) {
        return WadMath.mulWadUp(a, b);
    }

    function divDown(int256 n, int256 d) external pure returns (int256) {
        return WadMath.divDown(n, d);
    }

    function divUp(int256 n, int256 d) external pure returns (int256) {
        return WadMath.divUp(n, d);
    }

    function abs(int256 a) external pure returns (uint256) {
        return WadMath.abs(a);
    }

    function pack(uint256 underlyingId, uint256 kind, uint256 expiryTs, int256 priceE8, int256 quantityWad)
        external
        pure
        returns (uint256)
    {
        return PositionWord.pack(underlyingId, kind, expiryTs, priceE8, quantityWad);
    }

    function unpack(uint256 word)
        external
        pure
        returns (
            uint256 underlyingId,
            uint256 kind,
            uint256 expiryTs,
            int256 priceE8,
            int256 quantityWad,
            bool isOption,
            uint256 instrument
        )
    {
        (underlyingId, kind) = (PositionWord.underlyingOf(word), PositionWord.kindOf(word));
        (expiryTs, priceE8) = (PositionWord.expiryOf(word), PositionWord.priceE8Of(word));
        (quantityWad, isOption) = (PositionWord.quantityOf(word), PositionWord.isOption(word));
        instrument = PositionWord.instrumentOf(word);
    }

    function merge(uint256 word, int256 quantityWad, int256 priceE8)
        external
        pure
        returns (uint256 merged, int256 cashWad)
    {
        (merged, cashWad) = LinearMath.merge(word, quantityWad, priceE8);
    }

    function settledValue(uint256 word, int256 priceWad) external pure returns (int256) {
        return SettlementMath.valueOf(word, priceWad);
    }

    function priceFactors(uint256 fromSec, uint256 count) external pure returns (uint256[] memory factorsWad) {
        factorsWad = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            factorsWad[i] = AuctionMath.priceFactor(fromSec + i);
        }
    }

    function restoringFraction(int256 targetWad, int256 equityWad, int256 costWad) external pure returns (uint256) {
        return AuctionMath.restoringFraction(targetWad, equityWad, costWad);
    }

    function auctionPrice(uint256 marketWad, uint256 maintenanceWad, uint256 dWad) external pure returns (uint256) {
        return AuctionMath.price(marketWad, maintenanceWad, dWad);
    }

    function fee(uint256 valueWad, uint256 cashWad, uint256 feeRateWad) external pure returns (uint256) {
        return AuctionMath.fee(valueWad, cashWad, feeRateWad);
    }

    function bonus(uint256 lossWad, uint256 maintenanceWad, uint256 bonusShareWad, uint256 elapsedSec)
        external
        pure
        returns (uint256)
    {
        return AuctionMath.bonus(lossWad, maintenanceWad, bonusShareWad, elapsedSec);
    }

    function speedSince(uint256 sinceTs, SpeedLimit.Step memory step)
        external
        pure
        returns (int256 keptWad, int256 limitWad, int256 varianceLimitWad)
    {
        return SpeedLimit.since(sinceTs, step);
    }

    function speedMove(bytes32 field, uint256 anchor, int256 lnWad, int256 keptWad, int256 limitWad)
        external
        pure
        returns (uint256)
    {
        return SpeedLimit.move(field, anchor, lnWad, keptWad, limitWad);
    }

    function speedCheck(bytes32 field, uint256 anchor, int256 lnWad, int256 limitWad) external pure {
        SpeedLimit.check(field, anchor, lnWad, limitWad);
    }

    function speedFirst(int256 lnWad) external pure returns (uint256) {
        return SpeedLimit.first(lnWad);
    }

    function speedLnOf(uint256 anchor) external pure returns (int256) {
        return SpeedLimit.lnOf(anchor);
    }

    function anchorAdvance(uint256 word, IOracle.Surface calldata s, SpeedLimit.Step memory step)
        external
        pure
        returns (uint256)
    {
        return AnchorWord.advance(word, s, step);
    }

    function anchorUnpack(uint256 word) external pure returns (IOracle.SurfaceAnchor memory) {
        return AnchorWord.unpack(word);
    }

    function fade(uint256 timeSec) external pure returns (uint256 num, uint256 den) {
        return RequirementMath.fade(timeSec);
    }

    function basisRate(uint256 timeSec, IScenarioBook.UnderlyingParams memory params) external pure returns (uint256) {
        return RequirementMath.basisRate(timeSec, params);
    }

    function magnitude(int256 value) external pure returns (uint256) {
        return RequirementMath.magnitude(value);
    }

    function absolute(int256 value) external pure returns (uint256) {
        return RequirementMath.absolute(value);
    }

    function mulUp(uint256 a, uint256 b) external pure returns (uint256) {
        return RequirementMath.mulUp(a, b);
    }

    function quotientUp(uint256 a, uint256 b) external pure returns (uint256) {
        return RequirementMath.divUp(a, b);
    }

    function quadratic(uint256 sizeWad, uint256 freeWad, uint256 rateWad) external pure returns (uint256) {
        return RequirementMath.quadratic(sizeWad, freeWad, rateWad);
    }

    function sizeOf(uint256 lossWad, uint256 rangeWad) external pure returns (uint256) {
        return RequirementMath.sizeOf(lossWad, rangeWad);
    }

    function concentrate(RequirementMath.Parts memory c, IScenarioBook.UnderlyingParams memory params)
        external
        pure
        returns (RequirementMath.Parts memory)
    {
        RequirementMath.concentrate(c, params);
        return c;
    }

    function addParts(RequirementMath.Parts memory sum, RequirementMath.Parts memory c)
        external
        pure
        returns (RequirementMath.Parts memory)
    {
        RequirementMath.add(sum, c);
        return sum;
    }

    function vegaTerm(RequirementMath.Parts memory c, uint256 rateWad) external pure returns (uint256) {
        return RequirementMath.vegaTerm(c, rateWad);
    }

    function total(RequirementMath.Parts memory c, uint256 vegaTermWad) external pure returns (uint256) {
        return RequirementMath.total(c, vegaTermWad);
    }

    function positive(int256 value) external pure returns (uint256) {
        return RequirementMath.positive(value);
    }

    /// @param then_ Equity, market equity, initial and maintenance margin before.
    /// @param now_ The same after.
    /// @param closeShareWad Share of an honest close.
    function requireRelief(int256[4] memory then_, int256[4] memory now_, uint256 closeShareWad) external pure {
        MarginMath.requireRelief(_state(then_), _state(now_), closeShareWad);
    }

    function _state(int256[4] memory words) private pure returns (IMarginEngine.MarginState memory state) {
        (state.equityWad, state.marketEquityWad) = (words[0], words[1]);
        (state.initialWad, state.maintenanceWad) = (uint256(words[2]), uint256(words[3]));
    }
}
