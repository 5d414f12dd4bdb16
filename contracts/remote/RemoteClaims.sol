// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IHeaderFeed} from "../../interfaces/IHeaderFeed.sol";
import {IRemoteClaims} from "../../interfaces/IRemoteClaims.sol";
import {RemoteSlots} from "../libraries/RemoteSlots.sol";
import {StateProof} from "../libraries/StateProof.sol";
import {ClaimToken} from "./ClaimToken.sol";

/// @title RemoteClaims
/// @notice See IRemoteClaims.
contract RemoteClaims is IRemoteClaims, AccessManaged, ReentrancyGuardTransient {
    /// @inheritdoc IRemoteClaims
    /// @dev slot 1, as RemoteSlots has it: the other chain proves this.
    mapping(address remoteToken => mapping(address to => uint256)) public override redeemedRaw;

    /// @inheritdoc IRemoteClaims
    mapping(address remoteToken => mapping(address to => uint256)) public override claimedRaw;

    IHeaderFeed private immutable HEADERS;
    address private immutable ESCROW;

    /// @dev A claim and the most there may be of it.
    struct Listed {
        ClaimToken claim;
        uint256 capRaw;
    }

    mapping(address remoteToken => Listed) private _listed;

    /// @param authority Access manager.
    /// @param headers Headers of the other chain.
    /// @param escrow RemoteEscrow there.
    constructor(address authority, IHeaderFeed headers, address escrow) AccessManaged(authority) {
        HEADERS = headers;
        ESCROW = escrow;
    }

    /// @inheritdoc IRemoteClaims
    function listClaim(
        address remoteToken,
        string calldata name,
        string calldata symbol,
        uint8 decimals,
        uint256 capRaw
    ) external override restricted returns (address claim_) {
        ClaimToken known = _listed[remoteToken].claim;
        if (address(known) != address(0)) revert RemoteClaims__AlreadyListed(remoteToken, address(known));
        ClaimToken made = new ClaimToken(name, symbol, decimals);
        _listed[remoteToken] = Listed(made, capRaw);
        emit ClaimListed(remoteToken, address(made), symbol, decimals, capRaw);
        return address(made);
    }

    /// @inheritdoc IRemoteClaims
    function setCap(address remoteToken, uint256 capRaw) external override restricted {
        Listed storage listed = _of(remoteToken);
        emit CapSet(remoteToken, listed.capRaw, capRaw);
        listed.capRaw = capRaw;
    }

    /// @inheritdoc IRemoteClaims
    function claim(address remoteToken, address to, Proof calldata proof) external override nonReentrant {
        Listed storage listed = _of(remoteToken);
        bytes32 slot = RemoteSlots.locked(remoteToken, to);
        bytes32 root = HEADERS.headerOf(proof.number).stateRoot;
        uint256 provenRaw = StateProof.read(root, ESCROW, slot, proof.account, proof.storage_);
        uint256 madeRaw = claimedRaw[remoteToken][to];
        if (provenRaw <= madeRaw) revert RemoteClaims__NothingNew(provenRaw, madeRaw);
        uint256 supplyRaw = listed.claim.totalSupply();
        uint256 roomRaw = FixedPointMathLib.zeroFloorSub(listed.capRaw, supplyRaw);
        if (roomRaw == 0) revert RemoteClaims__AboveCap(supplyRaw, listed.capRaw);
        uint256 amountRaw = FixedPointMathLib.min(provenRaw - madeRaw, roomRaw);
        claimedRaw[remoteToken][to] = madeRaw + amountRaw;
        emit Claimed(remoteToken, to, amountRaw, madeRaw + amountRaw);
        listed.claim.mint(to, amountRaw);
    }

    /// @inheritdoc IRemoteClaims
    function redeem(address remoteToken, uint256 amountRaw, address to) external override nonReentrant {
        ClaimToken token = _of(remoteToken).claim;
        // The escrow sending to itself would leave tokens there that nobody can claim.
        if (to == address(0) || to == ESCROW) revert RemoteClaims__BadReceiver(to);
        if (amountRaw == 0) revert RemoteClaims__ZeroAmount(amountRaw, 1);
        token.burn(msg.sender, amountRaw);
        uint256 totalRaw = redeemedRaw[remoteToken][to] + amountRaw;
        redeemedRaw[remoteToken][to] = totalRaw;
        emit Redeemed(remoteToken, to, amountRaw, totalRaw);
    }

    /// @inheritdoc IRemoteClaims
    function claimOf(address remoteToken) external view override returns (address claimToken, uint256 capRaw) {
        Listed memory listed = _listed[remoteToken];
        return (address(listed.claim), listed.capRaw);
    }

    function _of(address remoteToken) private view returns (Listed storage listed) {
        listed = _listed[remoteToken];
        if (address(listed.claim) == address(0)) revert RemoteClaims__UnknownToken(remoteToken);
    }
}
