// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {WadMath} from "./WadMath.sol";

/// @title FundingMath
/// @notice Continuous funding of a perpetual: a rate from the premium, an index in time, what a position owes.
/// @custom:unit wad
/// @custom:mirror plimsoll.index.funding
library FundingMath {
    int256 internal constant DAY_SEC = 1 days;
    /// @dev A rate that nobody renews ends after this time: no funding on a premium that nobody signs any more.
    uint256 internal constant LIFE_SEC = 1 hours;

    /// @notice Cash that one unit of a long pays a day: the premium P - S within a share of S, spread over a period.
    /// @custom:rounding toward zero
    /// @param spotWad Spot S, below 2**104.
    /// @param perpWad Perpetual mark P, below 2**104.
    /// @param maxPremiumWad Largest premium that counts, as a share of S.
    /// @param periodSec Time over which a premium is paid once.
    /// @return rateWad Cash per unit and day; negative when shorts pay.
    function rate(uint256 spotWad, uint256 perpWad, uint256 maxPremiumWad, uint256 periodSec)
        internal
        pure
        returns (int256 rateWad)
    {
        int256 limitWad = int256(spotWad * maxPremiumWad / 1e18);
        int256 premiumWad = int256(perpWad) - int256(spotWad);
        if (premiumWad > limitWad) premiumWad = limitWad;
        if (premiumWad < -limitWad) premiumWad = -limitWad;
        rateWad = premiumWad * DAY_SEC / int256(periodSec);
    }

    /// @notice Index at a later time: what one unit of a long has paid since the start.
    /// @custom:rounding toward zero; both sides pay by the same index
    /// @param indexWad Index when the rate was set.
    /// @param rateWad Cash per unit and day.
    /// @param sinceTs When the rate was set.
    /// @param nowTs Now, not before.
    /// @return laterWad Index now.
    function indexAt(int256 indexWad, int256 rateWad, uint256 sinceTs, uint256 nowTs)
        internal
        pure
        returns (int256 laterWad)
    {
        uint256 elapsedSec = nowTs - sinceTs;
        if (elapsedSec > LIFE_SEC) elapsedSec = LIFE_SEC;
        laterWad = indexWad + rateWad * int256(elapsedSec) / DAY_SEC;
    }

    /// @notice What a position owes for a step of the index; negative when it receives.
    /// @custom:rounding up, against the holder (R-03)
    /// @param quantityWad Signed quantity.
    /// @param stepWad Index now less index when it last paid.
    /// @return owedWad Cash.
    function owed(int256 quantityWad, int256 stepWad) internal pure returns (int256 owedWad) {
        owedWad = WadMath.mulWadUp(quantityWad, stepWad);
    }
}
