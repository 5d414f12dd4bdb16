// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IExpiringPause} from "../../interfaces/IExpiringPause.sol";

/// @title ExpiringPause
/// @notice See IExpiringPause.
abstract contract ExpiringPause is IExpiringPause, AccessManaged {
    /// @dev How long a pause lasts, and how long nobody may pause after that.
    uint256 private constant PAUSE_SEC = 1 days;
    uint256 private constant REST_SEC = 1 days;

    /// @dev slot 0. Paused before `untilTs`; no new pause before `againTs`.
    struct Pause {
        uint40 untilTs;
        uint40 againTs;
    }

    Pause private _pause;

    modifier whenNotPaused() {
        _requireNotPaused();
        _;
    }

    /// @inheritdoc IExpiringPause
    function pause() external override restricted {
        _begin(_pause);
        emit Paused(msg.sender, _pause.untilTs);
    }

    /// @inheritdoc IExpiringPause
    function unpause() external override restricted {
        _end(_pause);
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc IExpiringPause
    function extendPause() external override restricted {
        _requireRunning(_pause);
        _set(_pause);
        emit Paused(msg.sender, _pause.untilTs);
    }

    /// @inheritdoc IExpiringPause
    function paused() public view override returns (bool) {
        return _isRunning(_pause);
    }

    /// @inheritdoc IExpiringPause
    function pauseTimes() external view override returns (uint256 untilTs, uint256 againTs) {
        (untilTs, againTs) = (_pause.untilTs, _pause.againTs);
    }

    function _requireNotPaused() internal view {
        if (_isRunning(_pause)) revert ExpiringPause__Paused(block.timestamp, _pause.untilTs);
    }

    /// @dev The rest counts from the time at which the pause would have ended: ending it early earns no new one.
    function _begin(Pause storage p) internal {
        if (block.timestamp < p.againTs) revert ExpiringPause__TooSoon(block.timestamp, p.againTs);
        _set(p);
    }

    function _end(Pause storage p) internal {
        _requireRunning(p);
        p.untilTs = uint40(block.timestamp);
    }

    function _isRunning(Pause storage p) internal view returns (bool) {
        return block.timestamp < p.untilTs;
    }

    function _set(Pause storage p) private {
        (p.untilTs, p.againTs) = (uint40(block.timestamp + PAUSE_SEC), uint40(block.timestamp + PAUSE_SEC + REST_SEC));
    }

    function _requireRunning(Pause storage p) private view {
        if (!_isRunning(p)) revert ExpiringPause__NotPaused(block.timestamp, p.untilTs);
    }
}
