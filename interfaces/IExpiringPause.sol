// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IExpiringPause
/// @notice A stop that ends by itself: whoever may pause cannot keep a contract stopped.
/// @dev A pause lasts a day. Until a day after its end, ended early or not, nobody may pause again; only governance,
/// behind its delay, ends one early or lets a running one last another day.
interface IExpiringPause {
    /// @notice Emitted when a pause begins or is extended.
    /// @param by Who did it.
    /// @param untilTs When it ends by itself.
    event Paused(address by, uint256 untilTs);
    /// @notice Emitted when a pause is ended before its time.
    /// @param by Who did it.
    event Unpaused(address by);

    /// @notice Thrown when a call comes while the contract is paused.
    error ExpiringPause__Paused(uint256 nowTs, uint256 untilTs);
    /// @notice Thrown when a contract is paused again too soon after the last time.
    error ExpiringPause__TooSoon(uint256 nowTs, uint256 againTs);
    /// @notice Thrown when a pause that does not run is ended or extended.
    error ExpiringPause__NotPaused(uint256 nowTs, uint256 untilTs);

    /// @notice Stops the contract for a day. Guardian.
    function pause() external;

    /// @notice Ends a pause before its time. Governance only.
    function unpause() external;

    /// @notice Lets a running pause last until a day from now. Governance only.
    function extendPause() external;

    /// @notice Whether the contract is paused now.
    /// @return True while a pause runs.
    function paused() external view returns (bool);

    /// @notice When the last pause ends or ended, and from when on the next one may begin.
    /// @return untilTs End; 0 before the first pause.
    /// @return againTs Earliest time of the next one.
    function pauseTimes() external view returns (uint256 untilTs, uint256 againTs);
}
