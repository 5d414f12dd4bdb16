// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {PlainCall} from "../libraries/PlainCall.sol";

/// @title PlainCallProbe
/// @notice The plain calls behind external functions, to any address, with what they take of memory: the structs that
/// the compiler makes for what is returned, then the answer.
/// @dev Ids come as whole words, so that what lies above their eight bits can be dirty. Free memory is all ones: what a
/// call does not write itself does not read as zero.
contract PlainCallProbe {
    uint256 private constant DIRTY_BYTES = 0x2000;

    /// @notice Runs many calls of this contract; a failed one returns its revert data.
    /// @param calls Call data.
    /// @return ok Whether each call succeeded.
    /// @return results What each call returned.
    function batch(bytes[] calldata calls) external view returns (bool[] memory ok, bytes[] memory results) {
        ok = new bool[](calls.length);
        results = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            (ok[i], results[i]) = address(this).staticcall(calls[i]);
        }
    }

    function snapshotOf(address to, uint256 accountId)
        external
        view
        returns (IAccounts.Snapshot memory snapshot, uint256 takenBytes)
    {
        uint256 free = _soiled();
        snapshot = PlainCall.snapshotOf(IAccounts(to), accountId);
        takenBytes = _free() - free;
    }

    function roundFor(address to, uint256 underlyingId, uint40[] memory expiries)
        external
        view
        returns (IOracle.Header memory header, IOracle.Surface[] memory surfaces, uint256 takenBytes)
    {
        uint8 id = _id(underlyingId);
        IOracle.Surface memory surface;
        uint256 free = _soiled();
        (header, surface) = PlainCall.roundFor(IOracle(to), id, expiries);
        takenBytes = _free() - free;
        surfaces = new IOracle.Surface[](expiries.length);
        for (uint256 i; i < expiries.length; ++i) {
            surfaces[i] = surface;
            assembly ("memory-safe") {
                surface := add(surface, 0x100) // the next one: they have eight words
            }
        }
    }

    function riskOf(address to, uint256 underlyingId, uint256[] memory positions, int256 linkedUnitsWad)
        external
        view
        returns (IRiskEngine.UnderlyingRisk memory risk, uint256 takenBytes)
    {
        uint8 id = _id(underlyingId);
        uint256 free = _soiled();
        risk = PlainCall.riskOf(IRiskEngine(to), id, positions, linkedUnitsWad);
        takenBytes = _free() - free;
    }

    function _id(uint256 dirty) private pure returns (uint8 id) {
        assembly ("memory-safe") {
            id := dirty
        }
    }

    function _free() private pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
        }
    }

    function _soiled() private pure returns (uint256 free) {
        free = _free();
        assembly ("memory-safe") {
            for { let at := free } lt(at, add(free, DIRTY_BYTES)) { at := add(at, 0x20) } { mstore(at, not(0)) }
        }
    }
}
