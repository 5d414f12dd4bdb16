// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title PositionWord
/// @notice One position in one storage word.
/// @dev Most significant first: [underlyingId 8][kind 8][expiryTs 40][price 72][quantity 128]. The price is int72 in
/// steps of 1e-8 cash: strike of an option, average entry of a future or perpetual. The quantity is int128 wad.
library PositionWord {
    /// @dev Kinds: this file numbers them, here and as a bit `1 << kind` in rules, grants and intents.
    uint256 internal constant CALL = 0;
    uint256 internal constant PUT = 1;
    uint256 internal constant FUTURE = 2;
    uint256 internal constant PERP = 3;
    uint256 internal constant LAST_KIND = PERP;
    /// @dev One bit per kind.
    uint256 internal constant ALL_KINDS = (1 << (LAST_KIND + 1)) - 1;

    /// @notice Thrown when a price does not fit int72 in steps of 1e-8.
    error PositionWord__PriceOverflow(int256 priceE8, int256 limitE8);
    /// @notice Thrown when a quantity does not fit int128.
    error PositionWord__QuantityOverflow(int256 quantityWad, int256 limitWad);

    /// @notice Packs the fields of a position.
    /// @param underlyingId Underlying, 1 to 255.
    /// @param kind CALL, PUT, FUTURE or PERP.
    /// @param expiryTs Expiry, unix seconds; 0 for a perpetual.
    /// @param priceE8 Strike or entry in steps of 1e-8 cash.
    /// @param quantityWad Signed quantity, wad.
    /// @return word The packed position.
    function pack(uint256 underlyingId, uint256 kind, uint256 expiryTs, int256 priceE8, int256 quantityWad)
        internal
        pure
        returns (uint256 word)
    {
        if (priceE8 != int72(priceE8)) revert PositionWord__PriceOverflow(priceE8, type(int72).max);
        if (quantityWad != int128(quantityWad)) {
            revert PositionWord__QuantityOverflow(quantityWad, type(int128).max);
        }
        word = (underlyingId << 248) | (kind << 240) | (uint256(uint40(expiryTs)) << 200)
            | (uint256(uint72(int72(priceE8))) << 128) | uint256(uint128(int128(quantityWad)));
    }

    /// @notice Underlying of a position.
    /// @param word Packed position.
    /// @return Underlying id.
    function underlyingOf(uint256 word) internal pure returns (uint256) {
        return word >> 248;
    }

    /// @notice Kind of a position.
    /// @param word Packed position.
    /// @return CALL, PUT, FUTURE or PERP.
    function kindOf(uint256 word) internal pure returns (uint256) {
        return (word >> 240) & 0xff;
    }

    /// @notice Expiry of a position.
    /// @param word Packed position.
    /// @return Unix seconds.
    function expiryOf(uint256 word) internal pure returns (uint256) {
        return uint40(word >> 200);
    }

    /// @notice Strike or entry of a position.
    /// @param word Packed position.
    /// @return Steps of 1e-8 cash.
    function priceE8Of(uint256 word) internal pure returns (int256) {
        return int72(uint72(word >> 128));
    }

    /// @notice Quantity of a position.
    /// @param word Packed position.
    /// @return Signed quantity, wad.
    function quantityOf(uint256 word) internal pure returns (int256) {
        return int128(uint128(word));
    }

    /// @notice Whether a position is an option.
    /// @param word Packed position.
    /// @return True for a call or a put.
    function isOption(uint256 word) internal pure returns (bool) {
        return isOptionKind(kindOf(word));
    }

    /// @notice Whether instruments of a kind are options, whose price is a strike and part of what they are.
    /// @param kind Kind.
    /// @return True for calls and puts.
    function isOptionKind(uint256 kind) internal pure returns (bool) {
        return kind < FUTURE;
    }

    /// @notice Whether instruments of a kind settle one day.
    /// @param kind Kind.
    /// @return False for perpetuals alone.
    function hasExpiry(uint256 kind) internal pure returns (bool) {
        return kind != PERP;
    }

    /// @notice Whether instruments of a kind pay funding, whose index an account keeps for each underlying.
    /// @param kind Kind.
    /// @return True for perpetuals alone.
    function paysFunding(uint256 kind) internal pure returns (bool) {
        return kind == PERP;
    }

    /// @notice What identifies the instrument: the top 128 bits, without the entry price of linear ones.
    /// @param word Packed position.
    /// @return Instrument id.
    function instrumentOf(uint256 word) internal pure returns (uint256) {
        return isOption(word) ? word >> 128 : (word >> 200) << 72;
    }

    /// @notice Whether all positions are of one underlying, which is the usual case.
    /// @param words Position words.
    /// @return isOne True for none, or when they are.
    function isOneUnderlying(uint256[] memory words) internal pure returns (bool isOne) {
        assembly ("memory-safe") {
            // Equivalent: underlyingOf(words[i]) == underlyingOf(words[0]) for every i.
            let first := mload(add(words, 0x20))
            let differing := 0
            let end := add(words, shl(5, mload(words)))
            for { let at := words } lt(at, end) {} {
                at := add(at, 0x20)
                differing := or(differing, xor(mload(at), first))
            }
            isOne := iszero(shr(248, differing))
        }
    }
}
