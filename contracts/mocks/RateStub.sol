// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title RateStub
/// @notice Answers every question with the bytes a test sets; it can be told to fail.
contract RateStub {
    /// @notice Thrown when the stub was told to fail.
    error RateStub__Fails(uint256 length);

    bytes private _answer;
    bool private _fails;

    /// @notice Sets the answer.
    /// @param answer Bytes to return.
    /// @param fails Whether to revert instead.
    function set(bytes calldata answer, bool fails) external {
        (_answer, _fails) = (answer, fails);
    }

    fallback(bytes calldata) external payable returns (bytes memory) {
        if (_fails) revert RateStub__Fails(_answer.length);
        return _answer;
    }
}
