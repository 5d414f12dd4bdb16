// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "./IAccounts.sol";
import {IAuction} from "./IAuction.sol";

/// @title IVault
/// @notice Custody of ERC-20 tokens; the only place that knows token decimals.
/// @dev Token 0 is the cash token. Raw amounts are in the token's own decimals, at most 18, so raw -> wad is exact.
interface IVault {
    /// @notice One listed token.
    struct Token {
        address token;
        uint8 decimals;
        /// @dev When its cap reaches `capRaw`; 0 for a token that counted in at once.
        uint40 rampEndTs;
        /// @dev Most the vault takes, raw.
        uint256 capRaw;
        /// @dev What all accounts together hold, raw.
        uint256 heldRaw;
    }

    /// @notice A withdrawal that waits for the bucket.
    struct Request {
        uint64 accountId;
        /// @dev Transfers of the account when it was made; another owner inherits none.
        uint64 transferCount;
        /// @dev What is still to be paid, raw; 0 once it is done.
        uint128 amountRaw;
        address to;
    }

    /// @notice Emitted when a token is listed.
    /// @param tokenId Its id; 0 is cash.
    /// @param token Its contract.
    /// @param decimals Its decimals.
    /// @param capRaw Most the vault takes, raw.
    event TokenListed(uint256 indexed tokenId, address indexed token, uint8 decimals, uint256 capRaw);
    /// @notice Emitted when a cap changes.
    /// @param tokenId Token.
    /// @param oldCapRaw Before.
    /// @param newCapRaw After.
    event CapSet(uint256 indexed tokenId, uint256 oldCapRaw, uint256 newCapRaw);
    /// @notice Emitted when tokens arrive for an account.
    /// @param accountId Account.
    /// @param tokenId Token.
    /// @param payer Who paid.
    /// @param amountRaw Amount, raw.
    event Deposited(uint256 indexed accountId, uint256 indexed tokenId, address indexed payer, uint256 amountRaw);
    /// @notice Emitted when tokens leave an account.
    /// @param accountId Account.
    /// @param tokenId Token.
    /// @param to Receiver.
    /// @param amountRaw Amount, raw.
    event Withdrawn(uint256 indexed accountId, uint256 indexed tokenId, address indexed to, uint256 amountRaw);

    /// @notice Emitted when the terms of a bucket change.
    /// @param tokenId Token.
    /// @param shareE6 Most that may leave at once, as a share of what is held, in steps of 1e-6.
    /// @param dailyE6 What comes back in a day, as a share of what is held, in steps of 1e-6.
    event OutflowSet(uint256 indexed tokenId, uint256 shareE6, uint256 dailyE6);
    /// @notice Emitted when a withdrawal joins the queue.
    /// @param tokenId Token.
    /// @param requestId Place in the queue of the token.
    /// @param accountId Account.
    /// @param to Receiver.
    /// @param amountRaw Amount, raw.
    event WithdrawalRequested(
        uint256 indexed tokenId, uint256 indexed requestId, uint256 indexed accountId, address to, uint256 amountRaw
    );
    /// @notice Emitted when a request ends unpaid: cancelled, or its account could not pay when its turn came.
    /// @param tokenId Token.
    /// @param requestId Request.
    /// @param amountRaw What was still to be paid, raw.
    event RequestDropped(uint256 indexed tokenId, uint256 indexed requestId, uint256 amountRaw);
    /// @notice Emitted when cash that leaves pays its share of an open loss into the pot.
    /// @param accountId Account.
    /// @param takenWad Cash that leaves.
    /// @param shareWad Its share of the loss.
    event ShareLeft(uint256 indexed accountId, uint256 takenWad, uint256 shareWad);
    /// @notice Emitted when an account has got back by how much its shares were too large.
    /// @param accountId Account.
    /// @param backWad Cash that came back.
    /// @param dueWad Cash that did not.
    event ShareReleased(uint256 indexed accountId, uint256 backWad, uint256 dueWad);
    /// @notice Emitted when the auction is set whose open losses withdrawals share.
    /// @param auction Contract.
    event AuctionSet(address auction);

    /// @notice Thrown when more would leave than the bucket holds, or than may pass those who wait.
    error Vault__AboveOutflow(uint256 observedRaw, uint256 limitRaw);
    /// @notice Thrown when the terms of a bucket are outside their range.
    error Vault__BadOutflow(uint256 observedE6, uint256 limitE6);
    /// @notice Thrown when a token has no such request.
    error Vault__UnknownRequest(uint256 requestId, uint256 count);
    /// @notice Thrown when a request is for less than a hundred-thousandth of what the vault holds, which never waits.
    error Vault__RequestTooSmall(uint256 observedRaw, uint256 minimumRaw);
    /// @notice Thrown when a request is for more than the account has.
    error Vault__RequestAboveHolding(uint256 observedRaw, uint256 limitRaw);
    /// @notice Thrown when the account of a request has changed hands since.
    error Vault__FormerOwner(uint256 transferCount, uint256 nowCount);
    /// @notice Thrown when anybody but the vault itself pays a single request.
    error Vault__NotVault(address caller, address vault);
    /// @notice Thrown when a request ran out of the gas that was sent along.
    error Vault__TooLittleGas(uint256 observed, uint256 minimum);
    /// @notice Thrown when shares are asked back while a loss is open.
    error Vault__LossOpen(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when an account has left no share.
    error Vault__NothingLeft(uint256 observedWad, uint256 minimumWad);
    /// @notice Thrown when the auction is set a second time.
    error Vault__AuctionFixed(address auction);
    /// @notice Thrown when a deposit that a pause or the cap would refuse leaves the account more than it needs.
    error Vault__RescueTooLarge(int256 observedWad, int256 limitWad);
    /// @notice Thrown when Permit2 is not deployed on this chain.
    error Vault__NoPermit2(address expected);
    /// @notice Thrown when the token is not listed.
    error Vault__UnknownToken(address token, uint256 listed);
    /// @notice Thrown when anything but cash of an account without positions is withdrawn while the vault is paused.
    error Vault__OnlyIdleCash(address token, uint256 positions);
    /// @notice Thrown when there is no token with this id.
    error Vault__UnknownTokenId(uint256 observed, uint256 listed);
    /// @notice Thrown when the token is listed already.
    error Vault__AlreadyListed(address token, uint256 tokenId);
    /// @notice Thrown when a token has more decimals than a wad.
    error Vault__TooManyDecimals(uint256 observed, uint256 limit);
    /// @notice Thrown when no further token fits.
    error Vault__TooManyTokens(uint256 observed, uint256 limit);
    /// @notice Thrown when a deposit is larger than what is left up to the cap.
    error Vault__CapExceeded(uint256 observedRaw, uint256 limitRaw);
    /// @notice Thrown when the vault received or paid another amount than asked for, as with a fee on transfer.
    error Vault__InexactTransfer(uint256 observedRaw, uint256 expectedRaw);
    /// @notice Thrown when the vault has less of a token than it has booked (a deposit) or than it should pay out, as
    /// after a rebase that takes tokens away.
    error Vault__Shortfall(uint256 observedRaw, uint256 neededRaw);
    /// @notice Thrown when an amount is more than any account can hold.
    error Vault__AmountTooLarge(uint256 observedRaw, uint256 limitRaw);
    /// @notice Thrown when an amount is zero.
    error Vault__ZeroAmount(uint256 observedRaw, uint256 minimumRaw);
    /// @notice Thrown when the caller may not act for the account.
    error Vault__NotAuthorised(address caller, uint256 accountId);
    /// @notice Thrown when the vault holds less than asked for, because others still owe it.
    error Vault__Illiquid(uint256 observedRaw, uint256 limitRaw);
    /// @notice Thrown when tokens would leave for the zero address or the vault itself.
    error Vault__BadReceiver(address observed, address vault);

    /// @notice Lists a token; the first one is the cash token. Governance only.
    /// @param token ERC-20 without fees on transfer and without rebasing.
    /// @param capRaw Most the vault takes, raw.
    /// @return tokenId Its id.
    function listToken(address token, uint256 capRaw) external returns (uint256 tokenId);

    /// @notice Changes the cap of a token; one below the holdings only stops deposits. Governance only.
    /// @param tokenId Token.
    /// @param capRaw Most the vault takes, raw.
    function setCap(uint256 tokenId, uint256 capRaw) external;

    /// @notice Sets how much of a token may leave. Governance only.
    /// @param tokenId Token.
    /// @param shareE6 Most that may leave at once, as a share of what is held: 0.01 to 1 in steps of 1e-6.
    /// @param dailyE6 What comes back in a day, as a share of what is held: 0.01 to 24 in steps of 1e-6.
    function setOutflow(uint256 tokenId, uint256 shareE6, uint256 dailyE6) external;

    /// @notice Sets the auction whose open losses withdrawals share; once. Governance only.
    /// @param auction Contract.
    function setAuction(IAuction auction) external;

    /// @notice Deposits for an account of the caller, or cash for the insurance fund, out of the caller's allowance.
    /// @dev A pause or a full cap stops all but what an account in a margin call or under auction needs: an equity of
    /// twice its initial margin.
    /// @param accountId Account.
    /// @param token Token.
    /// @param amountRaw Amount, raw.
    function deposit(uint256 accountId, address token, uint256 amountRaw) external;

    /// @notice Deposits with a permit; a permit used up by somebody else does no harm.
    /// @param accountId Account.
    /// @param token Token.
    /// @param amountRaw Amount, raw; what the permit covers.
    /// @param deadlineTs Last second of the permit.
    /// @param v Signature.
    /// @param r Signature.
    /// @param s Signature.
    function depositWithPermit(
        uint256 accountId,
        address token,
        uint256 amountRaw,
        uint256 deadlineTs,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Deposits with a signature for Permit2; the caller is the one who signed.
    /// @dev The token needs the caller's approval for Permit2, once, and none for the vault.
    /// @param accountId Account.
    /// @param token Token.
    /// @param amountRaw Amount, raw; exactly what was signed.
    /// @param nonce Unordered nonce of Permit2.
    /// @param deadlineTs Last second of the signature.
    /// @param signature Signature over PermitTransferFrom with the vault as the spender.
    function depositWithPermit2(
        uint256 accountId,
        address token,
        uint256 amountRaw,
        uint256 nonce,
        uint256 deadlineTs,
        bytes calldata signature
    ) external;

    /// @notice Opens an account of the caller and deposits, out of the caller's allowance.
    /// @param mode Margin mode.
    /// @param token Token.
    /// @param amountRaw Amount, raw.
    /// @return accountId New account.
    function openAndDeposit(IAccounts.Mode mode, address token, uint256 amountRaw)
        external
        returns (uint256 accountId);

    /// @notice Opens an account of the caller and deposits with a permit.
    /// @param mode Margin mode.
    /// @param token Token.
    /// @param amountRaw Amount, raw; what the permit covers.
    /// @param deadlineTs Last second of the permit.
    /// @param v Signature.
    /// @param r Signature.
    /// @param s Signature.
    /// @return accountId New account.
    function openAndDepositWithPermit(
        IAccounts.Mode mode,
        address token,
        uint256 amountRaw,
        uint256 deadlineTs,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 accountId);

    /// @notice Withdraws; the account must have its initial margin afterwards.
    /// @dev A pause stops all but cash of accounts without positions.
    /// @param accountId Account of the caller.
    /// @param token Token.
    /// @param amountRaw Amount, raw.
    /// @param to Receiver.
    function withdraw(uint256 accountId, address token, uint256 amountRaw, address to) external;

    /// @notice Withdraws cash that the account need not have: what is missing is borrowed against its other collateral
    /// and bears interest. The account must have its initial margin afterwards.
    /// @param accountId Account of the caller.
    /// @param amountRaw Amount of cash, raw.
    /// @param to Receiver.
    function borrow(uint256 accountId, uint256 amountRaw, address to) external;

    /// @notice Puts a withdrawal into the queue of its token. It keeps a place, not the tokens: they stay in the
    /// account and count in its margin until they are paid.
    /// @param accountId Account of the caller.
    /// @param token Token.
    /// @param amountRaw Amount, raw; more than a bucket holds is paid in parts.
    /// @param to Receiver.
    /// @return requestId Its place.
    function requestWithdrawal(uint256 accountId, address token, uint256 amountRaw, address to)
        external
        returns (uint256 requestId);

    /// @notice Takes a request out of the queue.
    /// @param token Token.
    /// @param requestId Request of an account of the caller.
    function cancelRequest(address token, uint256 requestId) external;

    /// @notice Pays the requests of a token in their order, as far as the bucket goes; anyone may call. One whose
    /// account cannot pay, or has changed hands, is dropped.
    /// @param token Token.
    /// @param maxCount Most requests to look at.
    /// @return paidRaw Sum paid, raw.
    function payRequests(address token, uint256 maxCount) external returns (uint256 paidRaw);

    /// @notice Pays one request; only the vault itself may call.
    /// @param tokenId Token.
    /// @param requestId Request.
    /// @return partRaw What was paid, raw.
    function payRequest(uint256 tokenId, uint256 requestId) external returns (uint256 partRaw);

    /// @notice Gives an account back by how much the shares that it left were too large, once no loss is open; anyone
    /// may call.
    /// @param accountId Account.
    function releaseShare(uint256 accountId) external;

    /// @notice Most that the vault lets out for an account now, whatever its margin: what is there, the bucket, the cap
    /// of utilisation, the share of an open loss.
    /// @param accountId Account.
    /// @param tokenId Token.
    /// @return limitRaw Amount, raw.
    function limitOf(uint256 accountId, uint256 tokenId) external view returns (uint256 limitRaw);

    /// @notice What cash leaves behind that is taken out now.
    /// @param amountWad Cash.
    /// @return shareWad Its share of the open loss, rounded up.
    function lossShareOf(uint256 amountWad) external view returns (uint256 shareWad);

    /// @notice Cash that an account has taken out while a loss was open, and the shares it has left.
    /// @param accountId Account.
    /// @return takenWad Cash taken.
    /// @return leftWad Shares.
    function leftOf(uint256 accountId) external view returns (uint256 takenWad, uint256 leftWad);

    /// @notice Bucket of a token.
    /// @param tokenId Token.
    /// @return levelRaw What may leave now, raw.
    /// @return shareE6 Most that may leave at once, as a share of what is held.
    /// @return dailyE6 What comes back in a day, as a share of what is held.
    function outflowOf(uint256 tokenId) external view returns (uint256 levelRaw, uint256 shareE6, uint256 dailyE6);

    /// @notice What an account has brought of a token and not taken out again: while it has no positions and no debt it
    /// may take that past the bucket.
    /// @param accountId Account.
    /// @param tokenId Token.
    /// @return amountRaw Amount, raw.
    function broughtOf(uint256 accountId, uint256 tokenId) external view returns (uint256 amountRaw);

    /// @notice Queue of a token.
    /// @param tokenId Token.
    /// @return firstId Request that is next.
    /// @return nextId Id that the next request will get; nobody waits when both are the same.
    function queueOf(uint256 tokenId) external view returns (uint256 firstId, uint256 nextId);

    /// @notice A request.
    /// @param tokenId Token.
    /// @param requestId Request.
    /// @return request Request.
    function requestOf(uint256 tokenId, uint256 requestId) external view returns (Request memory request);

    /// @notice A listed token.
    /// @param tokenId Token.
    /// @return token Address, decimals, cap and holdings.
    function tokenOf(uint256 tokenId) external view returns (Token memory token);

    /// @notice Id of a token.
    /// @param token Contract.
    /// @return tokenId Id; reverts when it is not listed.
    function tokenIdOf(address token) external view returns (uint256 tokenId);

    /// @notice Number of listed tokens; their ids are 0 to this number less one.
    /// @return Count.
    function tokenCount() external view returns (uint256);
}
