// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRiskSource} from "./IRiskSource.sol";

/// @title ILendingPosition
/// @notice A loan at another protocol that an account secures its margin with: collateral of which a part is owed.
/// @dev The contract is the borrower there, a token of shares in the loan, and the source of what they are worth. One
/// token, 1e18 of its units, is all of it. Whoever holds all shares, in his wallet or in an account of his, may take
/// collateral out and borrow, within the margin of that account; whoever holds a part may take his part out of both
/// sides, and nobody can do anything else, so that a holder of a part depends on no other one. Collateral and repayment
/// may come from anybody, through the other protocol.
///
/// Amounts are read from the other protocol and prices are those that it is asked about: no price of that protocol is
/// ever read. Collateral beyond the cap counts nothing, so that no gift lifts a token above its ceiling.
interface ILendingPosition is IRiskSource {
    /// @notice How the loan is counted; fixed when it is made.
    struct Terms {
        /// @dev The token that prices are in; the other one of the loan is the underlying.
        address cash;
        /// @dev By how much of a price the other protocol's may be worse than ours.
        uint256 bufferWad;
        /// @dev What unwinding takes, in shares of the underlying's side at its present price.
        uint256 costWad;
        /// @dev Most collateral that counts, raw.
        uint256 capRaw;
    }

    /// @notice The protocol that margins the position.
    struct Protocol {
        address accounts;
        address vault;
        address marginEngine;
    }

    /// @notice Emitted when the holder of all shares takes out collateral or borrows.
    /// @param caller Who did.
    /// @param accountId Account that holds the shares; 0 where the caller does.
    /// @param to Receiver.
    /// @param collateralRaw Collateral, raw.
    /// @param debtRaw Borrowed, raw.
    event CollateralTaken(
        address indexed caller, uint256 indexed accountId, address to, uint256 collateralRaw, uint256 debtRaw
    );
    /// @notice Emitted when a part of both sides goes.
    /// @param holder Whose shares are gone.
    /// @param to Receiver of the collateral.
    /// @param sharesWad Shares.
    /// @param collateralRaw Collateral that came out, raw.
    /// @param debtRaw What the holder repaid, raw.
    event PositionRedeemed(
        address indexed holder, address indexed to, uint256 sharesWad, uint256 collateralRaw, uint256 debtRaw
    );

    /// @notice Thrown when neither or both sides of the loan are cash.
    error LendingPosition__NoCash(address cash);
    /// @notice Thrown when the other protocol has no such market.
    error LendingPosition__UnknownMarket(bytes32 id);
    /// @notice Thrown when a term is outside its interval.
    error LendingPosition__BadTerms(bytes32 name, uint256 observed, uint256 limit);
    /// @notice Thrown when somebody else holds a part of what only the holder of all shares may steer.
    error LendingPosition__NotWhole(uint256 observedWad, uint256 neededWad);
    /// @notice Thrown when the caller may not act for the account.
    error LendingPosition__NotAuthorised(address caller, uint256 accountId);
    /// @notice Thrown when the vault is paused.
    error LendingPosition__VaultPaused(address vault);
    /// @notice Thrown when an amount is zero.
    error LendingPosition__ZeroAmount(uint256 observed, uint256 minimum);
    /// @notice Thrown when a side of the loan is larger than any loan: what is asked about it has no answer then.
    error LendingPosition__TooMuch(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when more would have to be repaid than allowed.
    error LendingPosition__AboveMaximum(uint256 debtRaw, uint256 limitRaw);
    /// @notice Thrown when a receiver cannot be one.
    error LendingPosition__BadReceiver(address to);

    /// @notice Takes out collateral and borrows. Of shares in an account this asks what a withdrawal asks: that the
    /// account has its initial margin then, and that the vault is not paused.
    /// @param accountId Account that holds all shares and that the caller may act for; 0 where the caller holds them.
    /// @param collateralRaw Collateral, raw; may be 0.
    /// @param debtRaw What to borrow, raw; may be 0.
    /// @param to Receiver of both.
    function take(uint256 accountId, uint256 collateralRaw, uint256 debtRaw, address to) external;

    /// @notice Repays the caller's part of the debt and takes his part of the collateral out.
    /// @dev The other protocol lets nothing out of a loan that it may liquidate, but to who holds all of it.
    /// @param sharesWad Shares in the caller's wallet.
    /// @param to Receiver of the collateral.
    /// @param maxDebtRaw The most to repay, out of the caller's allowance, raw.
    /// @return collateralRaw Collateral that came out, raw, rounded down.
    /// @return debtRaw What was repaid, raw, rounded up.
    function redeem(uint256 sharesWad, address to, uint256 maxDebtRaw)
        external
        returns (uint256 collateralRaw, uint256 debtRaw);

    /// @notice What the loan is now.
    /// @return collateralRaw Collateral, raw.
    /// @return debtRaw What is owed with interest up to now, raw, rounded up.
    function amounts() external view returns (uint256 collateralRaw, uint256 debtRaw);

    /// @notice How the loan is counted.
    /// @return terms Terms.
    function termsOf() external view returns (Terms memory terms);

    /// @notice Token of the collateral.
    /// @return Address.
    function collateralToken() external view returns (address);

    /// @notice Token that is owed.
    /// @return Address.
    function loanToken() external view returns (address);
}
