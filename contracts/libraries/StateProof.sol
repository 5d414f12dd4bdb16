// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {TrieProof} from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";

/// @title StateProof
/// @notice A word of another chain's storage, proven against its state root (`eth_getProof`, EIP-1186).
library StateProof {
    /// @dev RLP list of nonce, balance, storage root, code hash.
    uint256 private constant ACCOUNT_FIELDS = 4;
    uint256 private constant STORAGE_ROOT = 2;

    /// @notice Thrown when the account of a proof is not four fields.
    error StateProof__BadAccount(uint256 fields, uint256 expected);

    /// @notice Reads a word that is not zero; of a zero there is no proof here.
    /// @dev A proof of another root, account or slot ends with an error of TrieProof or RLP.
    /// @param stateRoot Root of the other chain's state.
    /// @param account Contract there.
    /// @param slot Where its storage holds the word.
    /// @param accountProof Nodes from the state root to the account.
    /// @param storageProof Nodes from the account's storage root to the word.
    /// @return word The word.
    function read(
        bytes32 stateRoot,
        address account,
        bytes32 slot,
        bytes[] memory accountProof,
        bytes[] memory storageProof
    ) internal pure returns (uint256 word) {
        bytes memory key = abi.encode(keccak256(abi.encodePacked(account)));
        bytes memory leaf = TrieProof.traverse(stateRoot, key, accountProof);
        Memory.Slice[] memory fields = RLP.decodeList(leaf);
        if (fields.length != ACCOUNT_FIELDS) revert StateProof__BadAccount(fields.length, ACCOUNT_FIELDS);
        bytes32 storageRoot = RLP.readBytes32(fields[STORAGE_ROOT]);
        bytes memory value = TrieProof.traverse(storageRoot, abi.encode(keccak256(abi.encode(slot))), storageProof);
        word = RLP.decodeUint256(value);
    }
}
