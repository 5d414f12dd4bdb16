// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";

/// @title KernelProbe
/// @notice Asks the deployed engine for value and greeks of one option after the other, each under a round of its own.
/// @dev The round is written to storage before every question; in an `eth_call` nothing of it stays.
contract KernelProbe {
    uint40 private constant NOW_TS = 1_800_000_000;
    uint256 private constant FIELDS = 5;

    uint256 private _forwardWad;
    int256 private _varianceWad;
    uint256 private _meanWad;

    /// @notice Value, delta, gamma, vega and theta of each option, one field after the other.
    /// @param engine Engine under test, built on this contract as its oracle.
    /// @param isCall 1 for a call, 0 for a put.
    /// @param forwardWad Forward.
    /// @param strikeE8 Strike in steps of 1e-8.
    /// @param varianceWad Total variance, the same for every strike.
    /// @param timeSec Time to expiry.
    function detail(
        IRiskEngine engine,
        uint256[] calldata isCall,
        uint256[] calldata forwardWad,
        uint256[] calldata strikeE8,
        int256[] calldata varianceWad,
        uint256[] calldata timeSec
    ) external returns (int256[] memory y) {
        uint256 n = isCall.length;
        y = new int256[](FIELDS * n);
        uint256[] memory words = new uint256[](1);
        for (uint256 i; i < n; ++i) {
            // With the strike as the mean of the settlement window, the strike of what is open is the strike itself.
            (_forwardWad, _varianceWad, _meanWad) = (forwardWad[i], varianceWad[i], strikeE8[i] * 1e10);
            words[0] =
                (1 << 248) | ((1 - isCall[i]) << 240) | ((NOW_TS + timeSec[i]) << 200) | (strikeE8[i] << 128) | 1e18;
            (IRiskEngine.UnderlyingRisk memory risk, IRiskEngine.UnderlyingDetail memory d) =
                engine.detailOf(1, words, 0, 0, new uint256[](0));
            (y[i], y[n + i], y[2 * n + i]) = (risk.markWad, d.deltaWad, d.gammaWad);
            (y[3 * n + i], y[4 * n + i]) = (d.vegaWad, d.thetaWad);
        }
    }

    /// @notice The round of the present question.
    function roundFor(uint8, uint40[] calldata expiries)
        external
        view
        returns (IOracle.Header memory header, IOracle.Surface[] memory surfaces)
    {
        header = IOracle.Header(NOW_TS, _forwardWad, _forwardWad, 1e18, _meanWad);
        surfaces = new IOracle.Surface[](expiries.length);
        for (uint256 i; i < expiries.length; ++i) {
            surfaces[i] = IOracle.Surface(expiries[i], _forwardWad, 0, _varianceWad, 0, 0, 0, 1e17);
        }
    }
}
