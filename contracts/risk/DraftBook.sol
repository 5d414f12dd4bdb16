// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {ScenarioBook} from "./ScenarioBook.sol";

/// @title DraftBook
/// @notice The scenario book with proposed changes: what was set here, and the live book for everything else.
/// @dev Checks and packs a proposal with the code that will execute it. A second pair of engines bound to it tells what
/// an account would need. ParameterPreview alone sets anything, within a call that undoes itself.
contract DraftBook is ScenarioBook {
    IScenarioBook private immutable LIVE;

    constructor(address authority, IScenarioBook live) ScenarioBook(authority, live.accountParams()) {
        LIVE = live;
        // Nothing is proposed yet.
        _accountWord = 0;
    }

    /// @inheritdoc IScenarioBook
    function bookPointerOf(uint8 underlyingId) public view override returns (address pointer) {
        pointer = _bookPointer[underlyingId];
        if (pointer == address(0)) pointer = LIVE.bookPointerOf(underlyingId);
    }

    /// @inheritdoc IScenarioBook
    function accountWord() public view override returns (uint256 word) {
        word = _accountWord == 0 ? LIVE.accountWord() : _accountWord;
    }

    /// @inheritdoc IScenarioBook
    function accountParams() public view override returns (AccountParams memory params) {
        params = _accountWord == 0 ? LIVE.accountParams() : super.accountParams();
    }

    /// @inheritdoc IScenarioBook
    function collateralOf(uint256 tokenId) public view override returns (CollateralParams memory params) {
        params = _unpacked(_collateral[tokenId]);
        if (!params.listed) params = LIVE.collateralOf(tokenId);
    }

    /// @dev Reverts when the live book does not list it.
    function _requireListed(uint8 underlyingId) internal view override {
        LIVE.bookPointerOf(underlyingId);
    }
}
