// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IDelegation
/// @notice Trader keys: an owner lets a key sign orders of one account, within scope, time, greek limits and a loss.
/// @dev Only the exchange asks here, so a delegate trades and nothing else: withdrawing, modes, isolation, transfers
/// and delegation itself ask for the owner. A grant belongs to one account and to one ownership of it: it ends for good
/// when the account changes hands. Granting and revoking ask for the owner itself, because an approved operator's
/// grant would outlast the approval.
interface IDelegation {
    /// @notice Largest absolute greeks of one underlying after a fill of the delegate, the whole account counted.
    /// @dev 0 admits only fills toward zero.
    /// @custom:unit wad; delta per unit of the underlying, vega per 1.00 of vol
    struct Limits {
        uint8 underlyingId;
        uint128 maxDeltaWad;
        uint128 maxGammaWad;
        uint128 maxVegaWad;
    }

    /// @notice What a delegate may do.
    struct Terms {
        /// @dev Last second.
        uint40 untilTs;
        /// @dev Kinds of instruments: `1 << kind` for each, kinds numbered as in PositionWord.
        uint8 kinds;
        /// @dev Most that all fills together may cost against the mark, gains not counted; the legs of a fill count as
        /// their sum. The largest number for no bound. Without it a delegate could sell to a friend for nothing.
        uint128 maxLossWad;
        /// @dev Underlyings that may be traded, once each.
        Limits[] limits;
    }

    /// @notice One leg of a fill, as the account has it.
    /// @custom:unit wad
    struct Fill {
        /// @dev Position word with quantity 0.
        uint256 instrument;
        /// @dev Change of the position, negative for a sale.
        int256 quantityWad;
        /// @dev Price with the fee in it.
        uint256 priceWad;
    }

    /// @notice A grant as it stands.
    struct Grant {
        /// @dev 0 when there is none; the same key granted again gets a new one.
        uint64 grantId;
        uint64 transferCount;
        uint40 untilTs;
        uint8 kinds;
        uint128 maxLossWad;
        uint128 lossWad;
    }

    /// @notice Emitted when an owner lets a key trade; replaces what the key had before.
    /// @param accountId Account.
    /// @param delegate Key or ERC-1271 contract.
    /// @param terms Terms.
    event Granted(uint256 indexed accountId, address indexed delegate, Terms terms);
    /// @notice Emitted when a grant ends by the owner or by the delegate itself.
    /// @param accountId Account.
    /// @param delegate Delegate.
    event Revoked(uint256 indexed accountId, address indexed delegate);
    /// @notice Emitted once for every fill that a delegate signed, whatever the number of its legs.
    /// @param accountId Account.
    /// @param delegate Delegate.
    /// @param lossWad What the fill cost against the mark; 0 when the loss is not bounded.
    /// @param totalLossWad Sum over the grant.
    event DelegateTraded(
        uint256 indexed accountId, address indexed delegate, uint256 lossWad, uint256 totalLossWad
    );

    /// @notice Thrown when the caller does not own the account.
    error Delegation__NotOwner(address caller, uint256 accountId);
    /// @notice Thrown when the caller is no module of the ledger.
    error Delegation__NotModule(address caller);
    /// @notice Thrown when the delegate is the zero address or the owner.
    error Delegation__BadDelegate(address delegate);
    /// @notice Thrown when a grant would name no kind or an unknown one.
    error Delegation__BadKinds(uint256 observed, uint256 limit);
    /// @notice Thrown when a grant would name no underlying.
    error Delegation__NoUnderlying(uint256 observed, uint256 minimum);
    /// @notice Thrown when a grant names an underlying twice, or underlying 0.
    error Delegation__BadUnderlying(uint256 underlyingId);
    /// @notice Thrown when nobody who may act for the account has granted anything to the signer.
    error Delegation__NotDelegate(address signer, uint256 accountId);
    /// @notice Thrown when the grant is, or would be from the start, out of date.
    error Delegation__Expired(uint256 untilTs, uint256 nowTs);
    /// @notice Thrown when the delegate may not trade the kind of instrument.
    error Delegation__KindNotAllowed(uint256 kind, uint256 allowedKinds);
    /// @notice Thrown when the delegate may not trade the underlying.
    error Delegation__UnderlyingNotAllowed(uint256 underlyingId, address delegate);
    /// @notice Thrown when delta would be beyond its limit and the fill does not bring it toward zero.
    error Delegation__DeltaLimit(int256 observedWad, uint256 limitWad);
    /// @notice Thrown when gamma would be beyond its limit and the fill does not bring it toward zero.
    error Delegation__GammaLimit(int256 observedWad, uint256 limitWad);
    /// @notice Thrown when vega would be beyond its limit and the fill does not bring it toward zero.
    error Delegation__VegaLimit(int256 observedWad, uint256 limitWad);
    /// @notice Thrown when the fills of the delegate would cost more against the mark than they may.
    error Delegation__LossLimit(uint256 observedWad, uint256 limitWad);

    /// @notice Lets a key sign orders of an account of the caller; what it had before ends.
    /// @param accountId Account that the caller owns.
    /// @param delegate Key or ERC-1271 contract.
    /// @param terms Terms.
    function grant(uint256 accountId, address delegate, Terms calldata terms) external;

    /// @notice Ends a grant at once, open orders of the delegate included. Owner, or the delegate itself.
    /// @param accountId Account.
    /// @param delegate Delegate.
    function revoke(uint256 accountId, address delegate) external;

    /// @notice Checks a fill that a delegate signed, once, after the ledger has booked all of its legs. Modules only.
    /// @dev A greek must end between its limits, or between a limit and where it was before: a fill that brings it
    /// toward zero passes above the limit, one that takes it beyond the limit on the other side does not.
    /// @param accountId Account, after the fill.
    /// @param delegate Signer.
    /// @param fills Legs, of different instruments.
    /// @return isCovered Whether the account was seen to have its initial margin; false as well where no limit asked
    /// for its greeks, so that nothing was evaluated, and where its own measure is another than the book's.
    function afterFill(uint256 accountId, address delegate, Fill[] calldata fills) external returns (bool isCovered);

    /// @notice Reverts unless a delegate may trade an instrument for an account now.
    /// @param accountId Account.
    /// @param delegate Signer.
    /// @param instrument Position word.
    function requireAllowed(uint256 accountId, address delegate, uint256 instrument) external view;

    /// @notice A grant, also when it is out of date; empty when revoked, or void by a transfer of the account.
    /// @param accountId Account.
    /// @param delegate Delegate.
    /// @return The grant.
    function grantOf(uint256 accountId, address delegate) external view returns (Grant memory);

    /// @notice Limits of a grant in one underlying; underlying 0 when it may not be traded.
    /// @param accountId Account.
    /// @param delegate Delegate.
    /// @param underlyingId Underlying.
    /// @return Limits.
    function limitsOf(uint256 accountId, address delegate, uint8 underlyingId) external view returns (Limits memory);
}
