// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IPasskeyFactory
/// @notice Gives passkeys addresses: a contract for each, which accepts what the passkey has signed (ERC-1271).
/// @dev The address follows from the public key alone. Whatever takes the signature of a contract takes that of a
/// passkey then: an owner grants the address as a trader key, and its orders, quotes and intents are signed by a
/// fingerprint or a face.
interface IPasskeyFactory {
    /// @notice Emitted when a passkey gets its contract.
    /// @param key Address of the contract.
    /// @param x Public key of the passkey, x.
    /// @param y Public key of the passkey, y.
    event PasskeyCreated(address indexed key, bytes32 x, bytes32 y);

    /// @notice Thrown when a public key is no point of the curve P-256.
    error PasskeyFactory__NotOnCurve(bytes32 x, bytes32 y);

    /// @notice Deploys the contract of a passkey; does nothing when it is there. Anyone may call.
    /// @param x Public key, x.
    /// @param y Public key, y.
    /// @return key Address of the contract.
    function create(bytes32 x, bytes32 y) external returns (address key);

    /// @notice Where the contract of a passkey is or will be.
    /// @param x Public key, x.
    /// @param y Public key, y.
    /// @return key Address of the contract.
    function addressOf(bytes32 x, bytes32 y) external view returns (address key);
}
