// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IHeaderFeed} from "../../interfaces/IHeaderFeed.sol";
import {IRemoteEscrow} from "../../interfaces/IRemoteEscrow.sol";
import {RemoteSlots} from "../libraries/RemoteSlots.sol";
import {StateProof} from "../libraries/StateProof.sol";

/// @title RemoteEscrow
/// @notice See IRemoteEscrow.
contract RemoteEscrow is IRemoteEscrow, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev What both chains can count in a wad.
    uint256 private constant MAX_RAW = type(uint128).max;

    /// @inheritdoc IRemoteEscrow
    /// @dev slot 0, as RemoteSlots has it: the home chain proves this.
    mapping(address token => mapping(address to => uint256)) public override lockedRaw;

    /// @inheritdoc IRemoteEscrow
    mapping(address token => mapping(address to => uint256)) public override releasedRaw;

    /// @notice Contract on the home chain whose redemptions count.
    address public home;

    IHeaderFeed private immutable HEADERS;
    address private immutable DEPLOYER;

    constructor(IHeaderFeed headers) {
        HEADERS = headers;
        DEPLOYER = msg.sender;
    }

    /// @inheritdoc IRemoteEscrow
    function setHome(address home_) external override {
        if (msg.sender != DEPLOYER || home != address(0)) revert RemoteEscrow__HomeFixed(home, msg.sender);
        home = home_;
    }

    /// @inheritdoc IRemoteEscrow
    function lock(address token, uint256 amountRaw, address to) external override nonReentrant {
        if (to == address(0)) revert RemoteEscrow__BadReceiver(to);
        uint256 heldRaw = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amountRaw);
        uint256 receivedRaw = IERC20(token).balanceOf(address(this)) - heldRaw;
        if (receivedRaw == 0) revert RemoteEscrow__ZeroAmount(receivedRaw, 1);
        uint256 totalRaw = lockedRaw[token][to] + receivedRaw;
        if (totalRaw > MAX_RAW) revert RemoteEscrow__TooMuch(totalRaw, MAX_RAW);
        lockedRaw[token][to] = totalRaw;
        emit Locked(token, to, receivedRaw, totalRaw);
    }

    /// @inheritdoc IRemoteEscrow
    function release(
        address token,
        address to,
        uint256 number,
        bytes[] calldata accountProof,
        bytes[] calldata storageProof
    ) external override nonReentrant {
        if (home == address(0)) revert RemoteEscrow__NoHome(home);
        bytes32 slot = RemoteSlots.redeemed(token, to);
        bytes32 root = HEADERS.headerOf(number).stateRoot;
        uint256 provenRaw = StateProof.read(root, home, slot, accountProof, storageProof);
        uint256 sentRaw = releasedRaw[token][to];
        if (provenRaw <= sentRaw) revert RemoteEscrow__NothingNew(provenRaw, sentRaw);
        releasedRaw[token][to] = provenRaw;
        emit Released(token, to, provenRaw - sentRaw, provenRaw);
        IERC20(token).safeTransfer(to, provenRaw - sentRaw);
    }
}
