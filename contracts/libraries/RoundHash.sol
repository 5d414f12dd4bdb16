// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";

/// @title RoundHash
/// @notice EIP-712 struct hashes of what the oracle's signers sign.
library RoundHash {
    bytes32 internal constant SURFACE_TYPEHASH = keccak256(
        "Surface(uint40 expiryTs,uint256 forwardWad,int256 rateWad,"
        "int256 aWad,uint256 bWad,int256 rhoWad,int256 mWad,uint256 sWad)"
    );
    bytes32 internal constant ROUND_TYPEHASH = keccak256(
        "Round(uint8 underlyingId,uint40 ts,uint256 spotWad,uint256 perpWad,uint256 confWad,uint256 meanWad,"
        "Surface[] surfaces)"
        "Surface(uint40 expiryTs,uint256 forwardWad,int256 rateWad,"
        "int256 aWad,uint256 bWad,int256 rhoWad,int256 mWad,uint256 sWad)"
    );
    bytes32 internal constant TOKEN_PRICES_TYPEHASH =
        keccak256("TokenPrices(uint40 ts,uint256[] tokenIds,uint256[] pricesWad)");
    bytes32 internal constant SETTLEMENT_TYPEHASH = keccak256(
        "SettlementSamples(uint8 underlyingId,uint40 expiryTs,uint40[] sampleTs,uint256[] spotsWad)"
    );

    /// @notice Struct hash of a round.
    /// @param r Round.
    /// @return Hash.
    function round(IOracle.Round calldata r) internal pure returns (bytes32) {
        IOracle.Surface[] calldata surfaces = r.surfaces;
        bytes32[] memory hashes = new bytes32[](surfaces.length);
        for (uint256 i; i < hashes.length; ++i) {
            // A struct of static members encodes like its members.
            hashes[i] = keccak256(abi.encode(SURFACE_TYPEHASH, surfaces[i]));
        }
        return keccak256(
            abi.encode(
                ROUND_TYPEHASH,
                r.underlyingId,
                r.ts,
                r.spotWad,
                r.perpWad,
                r.confWad,
                r.meanWad,
                keccak256(abi.encodePacked(hashes))
            )
        );
    }

    /// @notice Struct hash of token prices.
    /// @param p Prices.
    /// @return Hash.
    function tokenPrices(IOracle.TokenPrices calldata p) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                TOKEN_PRICES_TYPEHASH,
                p.ts,
                keccak256(abi.encodePacked(p.tokenIds)),
                keccak256(abi.encodePacked(p.pricesWad))
            )
        );
    }

    /// @notice Struct hash of settlement samples.
    /// @param s Samples.
    /// @return Hash.
    function settlement(IOracle.SettlementSamples calldata s) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                SETTLEMENT_TYPEHASH,
                s.underlyingId,
                s.expiryTs,
                keccak256(abi.encodePacked(s.sampleTs)),
                keccak256(abi.encodePacked(s.spotsWad))
            )
        );
    }
}
