// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExchange} from "../../interfaces/IExchange.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {Listing} from "./Listing.sol";
import {PositionWord} from "../libraries/PositionWord.sol";

/// @title Conditions
/// @notice What is filled of orders and quotes, and the conditions that an order may name: a round that meets its
/// trigger, and that no other exclusive order of its nonce has filled. See IExchange.
abstract contract Conditions is Listing {
    using PositionWord for uint256;

    /// @dev In the word of an order, above every quantity: it has filled once, so that its trigger has been met.
    uint256 private constant MET = 1 << 255;

    /// @dev What is filled, wad, and MET; of a quote the number of its legs.
    mapping(bytes32 digest => uint256) private _fills;

    /// @inheritdoc IExchange
    mapping(address signer => mapping(uint256 nonce => bytes32)) public override exclusiveOf;

    /// @inheritdoc IExchange
    function filledOf(bytes32 digest) public view override returns (uint256 quantityWad) {
        quantityWad = _fills[digest] & ~MET;
    }

    /// @dev Counts a fill of an order that nothing else forbids.
    function _countFill(Order calldata order, bytes32 digest, uint256 quantityWad) internal {
        uint256 word = _fills[digest];
        if (order.triggerWad != 0 && word & MET == 0) {
            _requireTriggered(order);
            word |= MET;
        }
        if (order.exclusive) _claim(order.signer, order.nonce, digest);
        _fills[digest] = word + quantityWad;
    }

    /// @dev Counts a quote, which fills once and whole.
    function _countQuote(bytes32 digest, uint256 legCount) internal {
        if (_fills[digest] != 0) revert Exchange__Overfilled(legCount, 0);
        _fills[digest] = legCount;
    }

    function _claim(address signer, uint256 nonce, bytes32 digest) private {
        bytes32 first = exclusiveOf[signer][nonce];
        if (first == bytes32(0)) exclusiveOf[signer][nonce] = digest;
        else if (first != digest) revert Exchange__OtherFilled(first, digest);
    }

    /// @dev The round has to be fresh, as for every price that decides something.
    function _requireTriggered(Order calldata order) private view {
        (IOracle.Header memory header,) =
            ORACLE.roundFor(uint8(order.instrument.underlyingOf()), new uint40[](0));
        if (header.ts <= order.triggerAfterTs) revert Exchange__RoundTooEarly(header.ts, order.triggerAfterTs);
        bool isMet =
            order.triggerAbove ? header.spotWad >= order.triggerWad : header.spotWad <= order.triggerWad;
        if (!isMet) revert Exchange__NotTriggered(header.spotWad, order.triggerWad);
    }
}
