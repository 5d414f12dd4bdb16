// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IRateFeed} from "../../interfaces/IRateFeed.sol";
import {RateStub} from "./RateStub.sol";

/// @title RatePusher
/// @notice An attacker who moves a rate, has it observed, and takes back what can be taken, in one transaction.
contract RatePusher {
    /// @notice Deposits, donates, observes, redeems.
    /// @param feed Feed.
    /// @param tokenId Token.
    /// @param vault Vault whose assets this contract holds.
    /// @param assets Amount deposited first, raw.
    /// @param donation Amount given to the vault, raw.
    function donate(IRateFeed feed, uint256 tokenId, IERC4626 vault, uint256 assets, uint256 donation) external {
        IERC20 asset = IERC20(vault.asset());
        asset.approve(address(vault), assets);
        uint256 shares = vault.deposit(assets, address(this));
        asset.transfer(address(vault), donation);
        feed.update(tokenId);
        vault.redeem(shares, address(this), address(this));
    }

    /// @notice Sets the answer of a source, observes, and sets it back.
    /// @param feed Feed.
    /// @param tokenId Token.
    /// @param stub Source.
    /// @param pushedWad Rate while it is observed.
    /// @param trueWad Rate before and after.
    function push(IRateFeed feed, uint256 tokenId, RateStub stub, uint256 pushedWad, uint256 trueWad) external {
        stub.set(abi.encode(pushedWad), false);
        feed.update(tokenId);
        stub.set(abi.encode(trueWad), false);
    }

    /// @notice Observes twice in one transaction.
    /// @param feed Feed.
    /// @param tokenId Token.
    function twice(IRateFeed feed, uint256 tokenId) external {
        feed.update(tokenId);
        feed.update(tokenId);
    }
}
