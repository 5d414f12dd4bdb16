// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";

/// @title PositionGroups
/// @notice Positions of one underlying by expiry and strike: a put is a call and a forward, so that a group is priced
/// once, whatever it nets to.
/// @dev A hash table with open addressing, at most half full, finds the group of a position.
library PositionGroups {
    /// @notice Bytes of a group: key, number of its expiry, quantity of calls (or of a linear instrument), of puts.
    /// @dev The key is a position word without underlying and quantity in which a put is a call:
    /// [kind 8][expiryTs 40][price 72].
    uint256 internal constant GROUP_BYTES = 128;

    struct Groups {
        /// @dev Memory positions of the first group and behind the last.
        uint256 first;
        uint256 end;
        uint40[] expiries;
        /// @dev Sum of the sizes of all quantities, wad.
        uint256 units;
    }

    /// @notice Sorts positions into groups.
    /// @param g Memory of the groups.
    /// @param underlyingId Their underlying; another one reverts.
    /// @param positions Position words.
    /// @param withLong Whether long options take part.
    function collect(Groups memory g, uint256 underlyingId, uint256[] calldata positions, bool withLong)
        internal
        pure
    {
        uint256 wrong;
        assembly ("memory-safe") {
            // Memory: the table, 2**bits places of groups; the expiries; the groups.
            let count := positions.length
            let bits := 2
            for {} lt(shl(bits, 1), shl(1, count)) {} { bits := add(bits, 1) }
            let table := mload(0x40)
            let expiries := add(table, shl(add(bits, 5), 1))
            calldatacopy(table, calldatasize(), sub(expiries, table))
            let group := add(add(expiries, 0x20), shl(5, count))
            mstore(g, group)
            mstore(add(g, 0x40), expiries)
            bits := sub(256, bits)
            let expiriesEnd := add(expiries, 0x20)
            let last := expiriesEnd
            for { let at := positions.offset } count { count := sub(count, 1) } {
                let word := calldataload(at)
                at := add(at, 0x20)
                let kind := and(shr(240, word), 0xff)
                if iszero(withLong) {
                    // Equivalent: skip a long option. An option is no more than a put, 1.
                    if and(lt(kind, 2), iszero(and(word, shl(127, 1)))) {
                        if eq(shr(248, word), underlyingId) { continue }
                    }
                }
                if iszero(eq(shr(248, word), underlyingId)) {
                    // Found by the caller, who names it.
                    wrong := word
                    break
                }
                // Scratch space holds the key, which would be taken apart anew wherever it is used, and where in its
                // group the quantity goes: a put is a call there, and has the next word.
                mstore(0x20, shl(5, eq(kind, 1)))
                mstore(0x00, sub(and(shr(128, word), 0xffffffffffffffffffffffffffffff), shl(107, mload(0x20))))
                // Strikes lie in steps: a product would put them side by side.
                let slot := add(table, shl(5, shr(bits, keccak256(0x00, 0x20))))
                let found := mload(slot)
                for {} found {} {
                    if eq(mload(found), mload(0x00)) { break }
                    slot := add(slot, 0x20)
                    // Behind the last place comes the first.
                    if eq(slot, expiries) { slot := table }
                    found := mload(slot)
                }
                if iszero(found) {
                    found := group
                    mstore(slot, group)
                    group := add(group, GROUP_BYTES)
                    mstore(found, mload(0x00))
                    mstore(add(found, 0x40), 0)
                    mstore(add(found, 0x60), 0)
                    if iszero(eq(kind, 3)) {
                        // Neighbours mostly share their expiry; a perpetual has none.
                        let expiryTs := and(shr(72, mload(0x00)), 0xffffffffff)
                        let isNext := lt(last, expiriesEnd)
                        if isNext { isNext := eq(mload(last), expiryTs) }
                        if iszero(isNext) {
                            last := add(expiries, 0x20)
                            for {} lt(last, expiriesEnd) { last := add(last, 0x20) } {
                                if eq(mload(last), expiryTs) { break }
                            }
                            if eq(last, expiriesEnd) {
                                mstore(last, expiryTs)
                                expiriesEnd := add(expiriesEnd, 0x20)
                            }
                        }
                        mstore(add(found, 0x20), shr(5, sub(sub(last, expiries), 0x20)))
                    }
                }
                found := add(found, add(0x40, mload(0x20)))
                word := signextend(15, word)
                mstore(found, add(mload(found), word))
                // Its size: the sign is all ones or all zeros.
                word := sub(xor(word, sar(255, word)), sar(255, word))
                mstore(add(g, 0x60), add(mload(add(g, 0x60)), word))
            }
            mstore(expiries, shr(5, sub(sub(expiriesEnd, expiries), 0x20)))
            mstore(add(g, 0x20), group)
            mstore(0x40, group)
        }
        if (wrong != 0) revert IRiskEngine.RiskEngine__WrongUnderlying(wrong >> 248, underlyingId);
    }

    /// @notice Fields of a group.
    /// @param group Its memory position.
    /// @return kind CALL for options, FUTURE or PERP.
    /// @return priceE8 Strike or entry in steps of 1e-8 cash.
    /// @return expiry Number of its expiry.
    /// @return calls Quantity of calls or of the linear instrument, wad.
    /// @return puts Quantity of puts, wad.
    function read(uint256 group)
        internal
        pure
        returns (uint256 kind, int256 priceE8, uint256 expiry, int256 calls, int256 puts)
    {
        assembly ("memory-safe") {
            // Equivalent: the four words of the group, and the fields of the first.
            let key := mload(group)
            kind := shr(112, key)
            priceE8 := signextend(8, key)
            expiry := mload(add(group, 0x20))
            calls := mload(add(group, 0x40))
            puts := mload(add(group, 0x60))
        }
    }
}
