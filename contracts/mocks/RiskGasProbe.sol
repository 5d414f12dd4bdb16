// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";

/// @title RiskGasProbe
/// @notice Keeps positions in storage and measures a cold risk check of the first n of them.
contract RiskGasProbe {
    uint256[] private _positions;

    function store(uint256[] calldata positions) external {
        _positions = positions;
    }

    function measure(IRiskEngine engine, uint8 underlyingId, uint256 n)
        external
        view
        returns (uint256 gasUsed, uint256 requirementWad)
    {
        uint256 before = gasleft();
        uint256[] memory words = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            words[i] = _positions[i];
        }
        requirementWad = engine.riskOf(underlyingId, words, 0).requirementWad;
        gasUsed = before - gasleft();
    }
}
