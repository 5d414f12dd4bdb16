// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IExchange
/// @notice Settles pairs of EIP-712 orders that were matched off chain; anyone may relay.
/// @dev The signer of an order is the owner of its account, an approved operator, or a trader key within the terms of
/// IDelegation; each may be an ERC-1271 contract. Authority counts at the moment of the fill.
interface IExchange {
    /// @notice A limit order.
    /// @custom:unit wad
    struct Order {
        uint256 accountId;
        /// @dev Position word with quantity 0; price is the strike, 0 for linear instruments.
        uint256 instrument;
        bool isBuy;
        /// @dev Most that may be filled, over all fills.
        uint256 quantityWad;
        /// @dev Highest price to pay or lowest to take: premium per unit of an option, price of a linear instrument.
        uint256 priceWad;
        /// @dev Chosen by the signer; cancelling it cancels every order of the signer that carries it.
        uint256 nonce;
        /// @dev Last second at which the order may be filled.
        uint40 expiryTs;
        /// @dev Who signs.
        address signer;
    }

    /// @notice Emitted on every fill.
    /// @param buyHash Buy order.
    /// @param sellHash Sell order.
    /// @param instrument Position word with quantity 0.
    /// @param buyerId Account of the buy order.
    /// @param sellerId Account of the sell order.
    /// @param quantityWad Quantity, wad.
    /// @param priceWad Price, wad.
    event Settled(
        bytes32 indexed buyHash,
        bytes32 indexed sellHash,
        uint256 indexed instrument,
        uint256 buyerId,
        uint256 sellerId,
        uint256 quantityWad,
        uint256 priceWad
    );
    /// @notice Emitted when a signer cancels nonces.
    /// @param signer Signer.
    /// @param wordPos Nonces divided by 256.
    /// @param mask One bit per cancelled nonce.
    event NoncesCancelled(address indexed signer, uint256 indexed wordPos, uint256 mask);

    /// @notice Thrown when the first order is no buy or the second no sell.
    error Exchange__WrongSide(bool buyIsBuy, bool sellIsBuy);
    /// @notice Thrown when the orders name different instruments.
    error Exchange__InstrumentMismatch(uint256 buyInstrument, uint256 sellInstrument);
    /// @notice Thrown when both orders are of one account.
    error Exchange__SelfTrade(uint256 buyerId, uint256 sellerId);
    /// @notice Thrown when an order has expired.
    error Exchange__OrderExpired(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when the instrument has expired.
    error Exchange__InstrumentExpired(uint256 observedTs, uint256 limitTs);
    /// @notice Thrown when a quantity is zero.
    error Exchange__ZeroQuantity(uint256 observedWad, uint256 minimumWad);
    /// @notice Thrown when a fill exceeds what is left of an order.
    error Exchange__Overfilled(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the price is above the buy limit.
    error Exchange__PriceAboveLimit(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the price is below the sell limit.
    error Exchange__PriceBelowLimit(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the price is zero or does not fit a position.
    error Exchange__PriceOutOfRange(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the price of a linear instrument is no multiple of the price step.
    error Exchange__PriceStep(uint256 observedWad, uint256 stepWad);
    /// @notice Thrown when the nonce of an order is cancelled.
    error Exchange__Cancelled(address signer, uint256 nonce);
    /// @notice Thrown when the signer of an order has not signed it.
    error Exchange__BadSignature(address signer, uint256 accountId);

    /// @notice Fills a buy and a sell order against each other; both accounts are margined.
    /// @param buy Buy order.
    /// @param buySignature Its signature.
    /// @param sell Sell order.
    /// @param sellSignature Its signature.
    /// @param quantityWad Quantity, wad.
    /// @param priceWad Price within both limits, wad.
    function settle(
        Order calldata buy,
        bytes calldata buySignature,
        Order calldata sell,
        bytes calldata sellSignature,
        uint256 quantityWad,
        uint256 priceWad
    ) external;

    /// @notice Cancels every order of the caller with this nonce.
    /// @param nonce Nonce.
    function cancel(uint256 nonce) external;

    /// @notice Cancels up to 256 nonces of the caller at once.
    /// @param wordPos Nonces divided by 256.
    /// @param mask One bit per nonce to cancel.
    function cancelMany(uint256 wordPos, uint256 mask) external;

    /// @notice Stops fills; cancelling stays open. Guardian.
    function pause() external;

    /// @notice Resumes fills. Governance only.
    function unpause() external;

    /// @notice EIP-712 digest of an order.
    /// @param order Order.
    /// @return digest What the signer signs.
    function hashOf(Order calldata order) external view returns (bytes32 digest);

    /// @notice Quantity filled so far.
    /// @param digest Digest of the order.
    /// @return quantityWad Quantity, wad.
    function filledOf(bytes32 digest) external view returns (uint256 quantityWad);

    /// @notice Whether a signer has cancelled a nonce.
    /// @param signer Signer.
    /// @param nonce Nonce.
    /// @return True when cancelled.
    function isCancelled(address signer, uint256 nonce) external view returns (bool);
}
