// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAggregator} from "../../interfaces/IAggregator.sol";

/// @title AggregatorStub
/// @notice A feed whose answer a test sets; it can be told to fail.
contract AggregatorStub is IAggregator {
    /// @notice Thrown when the stub was told to fail.
    error AggregatorStub__Fails(uint256 ts);

    uint8 public immutable override decimals;

    int256 private _answer;
    uint256 private _ts;
    bool private _fails;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    function set(int256 answer, uint256 ts, bool fails) external {
        (_answer, _ts, _fails) = (answer, ts, fails);
    }

    /// @inheritdoc IAggregator
    function latestRoundData() external view override returns (uint80, int256, uint256, uint256, uint80) {
        if (_fails) revert AggregatorStub__Fails(_ts);
        return (1, _answer, _ts, _ts, 1);
    }
}
