// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IMorpho} from "../../interfaces/IMorpho.sol";
import {IMorphoPosition} from "../../interfaces/IMorphoPosition.sol";
import {IMorphoRate} from "../../interfaces/IMorphoRate.sol";
import {Units} from "../libraries/Units.sol";
import {LendingPosition} from "./LendingPosition.sol";

/// @title MorphoPosition
/// @notice See IMorphoPosition.
contract MorphoPosition is IMorphoPosition, LendingPosition {
    uint256 private constant WAD = Units.UWAD;
    /// @dev Morpho's own: a liquidator gets 1/(1 - 0.3*(1 - lltv)) of what he repays, and at most 1.15 of it.
    uint256 private constant CURSOR_WAD = 0.3e18;
    uint256 private constant MAX_INCENTIVE_WAD = 1.15e18;
    /// @dev Morpho's own: shares and assets that nobody has, beside those of a market.
    uint256 private constant VIRTUAL_SHARES = 1e6;
    uint256 private constant VIRTUAL_ASSETS = 1;

    IMorpho private immutable MORPHO;
    bytes32 private immutable ID;
    address private immutable ORACLE;
    address private immutable RATE;
    uint256 private immutable LLTV_WAD;
    uint256 private immutable INCENTIVE_WAD;

    /// @param name_ Name.
    /// @param symbol_ Symbol.
    /// @param venue Market.
    /// @param terms Terms.
    /// @param protocol Protocol.
    /// @param holder Who gets all shares.
    constructor(
        string memory name_,
        string memory symbol_,
        Venue memory venue,
        Terms memory terms,
        Protocol memory protocol,
        address holder
    )
        ERC20(name_, symbol_)
        ERC20Permit(name_)
        LendingPosition(_marketOf(venue).collateralToken, _marketOf(venue).loanToken, terms, protocol, holder)
    {
        IMorpho.MarketParams memory params = _marketOf(venue);
        (MORPHO, ID) = (IMorpho(venue.morpho), venue.marketId);
        (ORACLE, RATE, LLTV_WAD) = (params.oracle, params.irm, params.lltv);
        uint256 discountWad = FixedPointMathLib.mulWad(CURSOR_WAD, WAD - params.lltv);
        INCENTIVE_WAD = FixedPointMathLib.min(MAX_INCENTIVE_WAD, FixedPointMathLib.divWad(WAD, WAD - discountWad));
    }

    /// @inheritdoc IMorphoPosition
    function venueOf() external view override returns (Venue memory venue) {
        return Venue(address(MORPHO), ID);
    }

    function _borrow(uint256 debtRaw, address to) internal override {
        MORPHO.borrow(_params(), debtRaw, 0, address(this), to);
    }

    function _withdraw(uint256 collateralRaw, address to) internal override {
        MORPHO.withdrawCollateral(_params(), collateralRaw, address(this), to);
    }

    function _repay(uint256 sharesWad, uint256 supplyWad, uint256 maxDebtRaw)
        internal
        override
        returns (uint256 debtRaw)
    {
        MORPHO.accrueInterest(_params());
        (, uint128 borrowShares,) = MORPHO.position(ID, address(this));
        uint256 partShares = FixedPointMathLib.fullMulDivUp(borrowShares, sharesWad, supplyWad);
        if (partShares == 0) return 0;
        IMorpho.Market memory m = MORPHO.market(ID);
        debtRaw = _assetsOf(partShares, m.totalBorrowAssets, m.totalBorrowShares);
        _collect(debtRaw, maxDebtRaw, address(MORPHO));
        MORPHO.repay(_params(), 0, partShares, address(this), "");
    }

    /// @dev As Morpho would say after it has booked the interest up to now.
    function _amounts() internal view override returns (uint256 collateralRaw, uint256 debtRaw) {
        (, uint128 borrowShares, uint128 collateral) = MORPHO.position(ID, address(this));
        collateralRaw = collateral;
        if (borrowShares == 0) return (collateralRaw, 0);
        IMorpho.Market memory m = MORPHO.market(ID);
        uint256 totalRaw = m.totalBorrowAssets;
        uint256 elapsedSec = block.timestamp - m.lastUpdate;
        if (elapsedSec != 0 && RATE != address(0)) {
            uint256 rateWad = IMorphoRate(RATE).borrowRateView(_params(), m);
            totalRaw += FixedPointMathLib.mulWad(totalRaw, _growth(rateWad, elapsedSec));
        }
        debtRaw = _assetsOf(borrowShares, totalRaw, m.totalBorrowShares);
    }

    function _limits() internal view override returns (uint256 thresholdWad, uint256 incentiveWad) {
        return (LLTV_WAD, INCENTIVE_WAD);
    }

    function _params() private view returns (IMorpho.MarketParams memory) {
        return IMorpho.MarketParams(address(DEBT), address(COLLATERAL), ORACLE, RATE, LLTV_WAD);
    }

    function _marketOf(Venue memory venue) private view returns (IMorpho.MarketParams memory params) {
        params = IMorpho(venue.morpho).idToMarketParams(venue.marketId);
        if (params.loanToken == address(0)) revert LendingPosition__UnknownMarket(venue.marketId);
    }

    /// @dev The first three terms of exp(rate*elapsed) - 1, as Morpho computes them.
    function _growth(uint256 rateWad, uint256 elapsedSec) private pure returns (uint256) {
        uint256 first = rateWad * elapsedSec;
        uint256 second = first * first / (2 * WAD);
        uint256 third = second * first / (3 * WAD);
        return first + second + third;
    }

    /// @dev Up, as Morpho rounds what somebody repays.
    function _assetsOf(uint256 shares, uint256 totalRaw, uint256 totalShares) private pure returns (uint256) {
        return FixedPointMathLib.fullMulDivUp(shares, totalRaw + VIRTUAL_ASSETS, totalShares + VIRTUAL_SHARES);
    }
}
