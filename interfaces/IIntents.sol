// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExchange} from "./IExchange.sol";

/// @title IIntents
/// @notice Signed outcomes: an account's owner signs what should be true afterwards and what it may cost, any solver
/// fills it against an account of its own.
/// @dev The solver's side is a signed quote of the exchange, so listing, pauses, fees and the margin of both accounts
/// are the exchange's. This contract takes the quote for the account, which needs the owner's approval (ERC-721) or a
/// grant as a trader key (IDelegation), and then looks at the account as it is. Cost is the fall of market equity over
/// the fill at the mark of the round, fees included.
interface IIntents {
    /// @notice "Bring my delta in one underlying to between a and b, for at most c."
    /// @custom:unit wad
    struct DeltaIntent {
        uint256 accountId;
        uint8 underlyingId;
        /// @dev Kinds of instruments that may be traded: `1 << kind` for each, kinds numbered as in PositionWord.
        uint8 kinds;
        /// @dev Delta as the margin engine reports it, linked collateral included, per unit of the underlying.
        int256 minDeltaWad;
        int256 maxDeltaWad;
        /// @dev Most it may cost against the mark, cash.
        uint256 maxCostWad;
        /// @dev Least equity less initial margin the account may have afterwards, so that delta is not bought with
        /// other risk, nor with cash for options that count for nothing in its mode.
        int256 minExcessWad;
        /// @dev IAccounts.transferCountOf the account: an intent ends with a transfer.
        uint64 transferCount;
        /// @dev Of the same space as the nonces of orders.
        uint256 nonce;
        /// @dev Last second.
        uint40 expiryTs;
        address signer;
    }

    /// @notice "When equity less initial margin falls below d, close positions so that it does not, for at most c."
    /// @dev The solver chooses which, and may close more than it takes: the cost is the bound.
    /// @custom:unit wad
    struct CloseIntent {
        uint256 accountId;
        int256 minExcessWad;
        uint256 maxCostWad;
        uint64 transferCount;
        uint256 nonce;
        uint40 expiryTs;
        address signer;
    }

    /// @notice Emitted when an intent is filled, once each.
    /// @param digest Intent.
    /// @param accountId Its account.
    /// @param solverId Account on the other side.
    /// @param costWad Fall of the account's market equity, cash; negative when it gained.
    event IntentFilled(
        bytes32 indexed digest, uint256 indexed accountId, uint256 indexed solverId, int256 costWad
    );

    /// @notice Thrown when the signer may not act for the account.
    error Intents__NotAuthorised(address signer, uint256 accountId);
    /// @notice Thrown when the account has changed hands since the intent was signed, also when it came back.
    error Intents__Transferred(uint256 transferCount, uint256 signedCount);
    /// @notice Thrown when the signer has not signed the intent.
    error Intents__BadSignature(address recovered, uint256 accountId);
    /// @notice Thrown when the nonce is cancelled at the exchange.
    error Intents__Cancelled(address signer, uint256 nonce);
    /// @notice Thrown when the intent is out of date.
    error Intents__Expired(uint256 expiryTs, uint256 nowTs);
    /// @notice Thrown when the intent was filled.
    error Intents__Filled(bytes32 digest, uint256 accountId);
    /// @notice Thrown when delta is within its bounds already.
    error Intents__DeltaWithin(int256 observedWad, int256 minWad, int256 maxWad);
    /// @notice Thrown when delta would not end within its bounds.
    error Intents__DeltaMissed(int256 observedWad, int256 minWad, int256 maxWad);
    /// @notice Thrown when the account would have less excess than signed.
    error Intents__ExcessBelow(int256 observedWad, int256 limitWad);
    /// @notice Thrown when the excess is not below the bound.
    error Intents__NotTriggered(int256 observedWad, int256 limitWad);
    /// @notice Thrown when the excess would still be below the bound, with positions left to close.
    error Intents__ExcessMissed(int256 observedWad, int256 limitWad);
    /// @notice Thrown when a leg is of another underlying.
    error Intents__WrongUnderlying(uint256 observed, uint256 expected);
    /// @notice Thrown when a leg is of a kind that was not signed.
    error Intents__KindNotAllowed(uint256 kind, uint256 allowedKinds);
    /// @notice Thrown when a leg would do more than close a position.
    error Intents__NotReducing(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the fill costs more than signed.
    error Intents__CostAbove(int256 observedWad, uint256 limitWad);

    /// @notice Fills a delta intent with a solver's quote; anyone may send it.
    /// @param intent Intent.
    /// @param signature Its signature.
    /// @param quote Quote of the solver, best with the account as its only taker.
    /// @param quoteSignature Its signature.
    function fillDelta(
        DeltaIntent calldata intent,
        bytes calldata signature,
        IExchange.Quote calldata quote,
        bytes calldata quoteSignature
    ) external;

    /// @notice Fills a close intent with a solver's quote; anyone may send it.
    /// @param intent Intent.
    /// @param signature Its signature.
    /// @param quote Quote of the solver, best with the account as its only taker.
    /// @param quoteSignature Its signature.
    function fillClose(
        CloseIntent calldata intent,
        bytes calldata signature,
        IExchange.Quote calldata quote,
        bytes calldata quoteSignature
    ) external;

    /// @notice EIP-712 digest of a delta intent.
    /// @param intent Intent.
    /// @return digest What the signer signs.
    function hashOfDelta(DeltaIntent calldata intent) external view returns (bytes32 digest);

    /// @notice EIP-712 digest of a close intent.
    /// @param intent Intent.
    /// @return digest What the signer signs.
    function hashOfClose(CloseIntent calldata intent) external view returns (bytes32 digest);

    /// @notice Whether an intent was filled.
    /// @param digest Digest.
    /// @return True when it was.
    function isFilled(bytes32 digest) external view returns (bool);
}
