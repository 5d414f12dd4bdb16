// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccounts} from "./IAccounts.sol";

/// @title IStrategyVault
/// @notice Shares in one account that a trader key runs within a mandate; entries and exits are requested, and settled
/// at the first round that was signed after the request.
/// @dev The vault owns the account and nobody else may act for it. Requests are gathered in epochs: an epoch takes
/// requests until a round newer than its latest one is there or somebody asks to settle, and is settled as a whole.
/// Value and cost are those of the margin engine; a share is worth the value less the cost of closing on the way out,
/// and the value and the cost on the way in.
interface IStrategyVault {
    /// @notice What became of the deposits of an epoch; its redemptions are told by what is left of them.
    enum Status {
        PENDING,
        SETTLED,
        RETURNED
    }

    /// @notice Largest greeks of one underlying that the trader key may leave, in shares of the vault's exit value.
    /// @custom:unit wad
    struct GreekShares {
        uint8 underlyingId;
        /// @dev Of cash delta: delta*spot.
        uint64 deltaShareWad;
        /// @dev Of its change for a move by 1.00: gamma*spot^2.
        uint64 gammaShareWad;
        /// @dev Of vega for 1.00 of vol.
        uint64 vegaShareWad;
    }

    /// @notice What the trader key may do and what the vault costs; fixed for good.
    /// @custom:unit wad
    struct Mandate {
        IAccounts.Mode mode;
        /// @dev `1 << kind` for each kind of instrument, numbered as in PositionWord.
        uint8 kinds;
        /// @dev How long a grant lasts, and the time in which the loss below may be spent once.
        uint40 termSec;
        /// @dev Half spread of a market, as a share of gross notional.
        uint64 halfSpreadWad;
        /// @dev Half spread of an option beside it, in vol, for each expiry's net vega.
        uint64 halfVolWad;
        /// @dev Share of the value that all fills of a term may cost against the mark.
        uint64 lossShareWad;
        /// @dev Fall from the highest price of a share at which trading stops.
        uint64 stopShareWad;
        /// @dev Share of what a share gains above its highest price.
        uint64 feeWad;
        address feeReceiver;
    }

    /// @notice Contracts of the deployment that the vault belongs to.
    struct Protocol {
        address authority;
        address accounts;
        address vault;
        address marginEngine;
        address oracle;
        address delegation;
        /// @dev IStrategyCloser.
        address closer;
    }

    /// @notice What the vault is worth now.
    struct Value {
        /// @dev Market equity of the account and cash that is not in it; wad.
        int256 valueWad;
        /// @dev What closing would cost: half spreads, concentration, the share of an open loss; wad.
        uint256 costWad;
        /// @dev Value and cost, rounded up: what entries are priced at.
        uint256 entryRaw;
        /// @dev Value less cost, rounded down, at least 0: what exits are priced at.
        uint256 exitRaw;
        /// @dev Most that can be paid out at once, cash beside the account included.
        uint256 freeRaw;
        /// @dev Time of the oldest round that the value rests on; now where it rests on none.
        uint256 roundTs;
        /// @dev Whether the account has its initial margin.
        bool isSound;
        /// @dev Whether the account has no position.
        bool isFlat;
    }

    /// @notice Requests that are settled together.
    struct Epoch {
        /// @dev slot 0
        uint128 depositRaw;
        uint128 mintedShares;
        /// @dev slot 1. Shares handed in, and how many of them are not settled.
        uint128 redeemShares;
        uint128 leftShares;
        /// @dev slot 2. Paid for the rest of them, so far.
        uint128 paidRaw;
        /// @dev A round has to be newer: the latest request and 15 seconds, or the newest round there was.
        uint40 afterTs;
        Status status;
    }

    /// @notice Where the epochs stand.
    struct Queue {
        /// @dev Takes requests.
        uint64 openId;
        /// @dev First that is not settled.
        uint64 nextId;
        /// @dev First with shares that are settled in part only.
        uint64 unpaidId;
        /// @dev Round of the last settlement.
        uint40 settledTs;
    }

    /// @notice What a controller has.
    struct Entry {
        /// @dev slot 0
        uint128 pendingRaw;
        uint64 epochId;
        /// @dev slot 1. Settled and not claimed.
        uint128 claimRaw;
        uint128 claimShares;
    }

    /// @notice What a controller has handed in.
    struct Exit {
        /// @dev slot 0. Handed in, and how many of them have been counted as settled.
        uint128 shares;
        uint128 seenShares;
        /// @dev slot 1. Assets counted as settled.
        uint128 seenRaw;
        uint64 epochId;
        /// @dev slot 2. Settled and not claimed.
        uint128 claimShares;
        uint128 claimRaw;
    }

    /// @notice Emitted when an epoch takes no further requests.
    /// @param epochId Epoch.
    /// @param afterTs A round has to be newer.
    event EpochClosed(uint256 indexed epochId, uint256 afterTs);
    /// @notice Emitted when the deposits of an epoch are settled or returned.
    /// @param epochId Epoch.
    /// @param status Which of both.
    /// @param depositRaw Assets.
    /// @param mintedShares Shares for them; 0 when they are returned.
    event EpochSettled(uint256 indexed epochId, Status status, uint256 depositRaw, uint256 mintedShares);
    /// @notice Emitted when redemptions of an epoch are settled, in whole or in part.
    /// @param epochId Epoch.
    /// @param shares Shares burnt.
    /// @param paidRaw Assets for them.
    /// @param leftShares Shares that wait for another round.
    event EpochPaid(uint256 indexed epochId, uint256 shares, uint256 paidRaw, uint256 leftShares);
    /// @notice Emitted at each settlement, after the fee and before entries and exits.
    /// @param roundTs Time of the oldest round that it rests on.
    /// @param valueWad Value.
    /// @param costWad Cost of closing.
    /// @param supply Shares.
    event Valued(uint256 roundTs, int256 valueWad, uint256 costWad, uint256 supply);
    /// @notice Emitted when the price of a share is above its highest one.
    /// @param shares Shares minted as fee.
    /// @param highWad New highest price.
    event FeeTaken(uint256 shares, uint256 highWad);
    /// @notice Emitted when the vault of the protocol takes no cash, which stays beside the account then.
    /// @param idleRaw Cash that does.
    event CashKept(uint256 idleRaw);
    /// @notice Emitted when a request that is not settled, or was returned, is given back.
    /// @param controller Whose it was.
    /// @param receiver Who got it.
    /// @param assetsRaw Assets of a deposit.
    /// @param shares Shares of a redemption.
    event RequestCancelled(address indexed controller, address indexed receiver, uint256 assetsRaw, uint256 shares);
    /// @notice Emitted when the trader key is replaced.
    /// @param trader Key; zero for none.
    event TraderSet(address indexed trader);
    /// @notice Emitted when a grant is made to the trader key.
    /// @param trader Key.
    /// @param maxLossWad Most that its fills may still cost against the mark in this term.
    /// @param exitRaw Exit value that the limits were derived from.
    event TraderGranted(address indexed trader, uint256 maxLossWad, uint256 exitRaw);
    /// @notice Emitted when trading stops.
    /// @param priceWad Price of a share on the way out.
    /// @param floorWad Price below which trading stops.
    event Stopped(uint256 priceWad, uint256 floorWad);
    /// @notice Emitted when trading may go on.
    /// @param floorWad Price below which it stops again.
    event Resumed(uint256 floorWad);

    /// @notice Thrown when a term of the mandate is outside its interval; `field` names it.
    error StrategyVault__BadMandate(bytes32 field, uint256 observed, uint256 limit);
    /// @notice Thrown when a mandate limits one underlying twice.
    error StrategyVault__UnderlyingTwice(uint8 underlyingId);
    /// @notice Thrown when a request or a claim is of nothing.
    error StrategyVault__ZeroAmount(uint256 observed, uint256 minimum);
    /// @notice Thrown when the caller may not act for a controller or an owner.
    error StrategyVault__NotOperator(address caller, address controller);
    /// @notice Thrown when a controller has a request in an earlier epoch that is not settled, or was returned.
    error StrategyVault__RequestPending(uint256 epochId, uint256 openId);
    /// @notice Thrown when more would be claimed than is settled.
    error StrategyVault__AboveClaimable(uint256 observed, uint256 limit);
    /// @notice Thrown when the token took a fee on the way in.
    error StrategyVault__InexactTransfer(uint256 observedRaw, uint256 expectedRaw);
    /// @notice Thrown when a preview is asked for: the price of a request is not known before it is settled.
    error StrategyVault__Asynchronous(uint256 amount);
    /// @notice Thrown when there is no request to settle.
    error StrategyVault__NothingToSettle(uint256 openId);
    /// @notice Thrown when no round is newer than the requests that wait, or than the last settlement.
    error StrategyVault__NoNewRound(uint256 roundTs, uint256 limitTs);
    /// @notice Thrown when a request is withdrawn before it may be.
    error StrategyVault__CancelTooEarly(uint256 nowTs, uint256 limitTs);
    /// @notice Thrown when a controller has no request to withdraw.
    error StrategyVault__NoRequest(address controller);
    /// @notice Thrown when there is neither a loss nor a redemption that would stop trading.
    error StrategyVault__NotDue(uint256 priceWad, uint256 floorWad);
    /// @notice Thrown when trading is stopped.
    error StrategyVault__IsStopped(uint256 floorWad);
    /// @notice Thrown when trading is not stopped.
    error StrategyVault__NotStopped(uint256 floorWad);
    /// @notice Thrown when there is no trader key.
    error StrategyVault__NoTrader(address trader);

    /// @notice Settles the epochs whose requests are older than the rounds of today: takes the fee, mints for deposits,
    /// pays redemptions as far as the account may pay, those of one epoch pro rata, earlier epochs first. Anyone may
    /// call. Where no request is old enough the open epoch is closed, so that later requests cannot delay it.
    /// @return settled Number of epochs whose deposits were settled.
    function settle() external returns (uint256 settled);

    /// @notice Moves cash that lies beside the account into it. Anyone may call.
    function invest() external;

    /// @notice Gives assets back that were returned, or that have waited for a day.
    /// @param controller Whose request it was: the caller, or who made it operator.
    /// @param receiver Who gets the assets.
    /// @return assetsRaw Assets.
    function cancelDeposit(address controller, address receiver) external returns (uint256 assetsRaw);

    /// @notice Gives shares back that have waited for a day.
    /// @param controller Whose request it was: the caller, or who made it operator.
    /// @param receiver Who gets the shares.
    /// @return shares Shares.
    function cancelRedeem(address controller, address receiver) external returns (uint256 shares);

    /// @notice Replaces the trader key; zero for none. Governance only.
    /// @param trader Key or ERC-1271 contract.
    function setTrader(address trader) external;

    /// @notice Grants the trader key anew what the mandate allows at the value of now. Anyone may call.
    /// @dev The loss that fills of the term have cost already is not granted again.
    function renew() external;

    /// @notice Stops trading because a share is worth less than the floor, or because a redemption has waited for a
    /// week. Anyone may call.
    function stop() external;

    /// @notice Stops trading. Governance only.
    function halt() external;

    /// @notice Lets trading go on, without a trader key, from the price of now. Governance only.
    function resume() external;

    /// @notice What the vault is worth now.
    /// @return value Value.
    function valueNow() external view returns (Value memory value);

    /// @notice Price of a share on the way out, before and after which trading stops and fees begin.
    /// @return priceWad Price; 1 wad is what a share costs at the beginning.
    /// @return highWad Highest price of a settlement, after its fee.
    /// @return floorWad Price below which trading stops.
    function priceNow() external view returns (uint256 priceWad, uint256 highWad, uint256 floorWad);

    /// @notice An epoch.
    /// @param epochId Epoch, from 1.
    /// @return epoch Epoch.
    function epochOf(uint256 epochId) external view returns (Epoch memory epoch);

    /// @notice Where the epochs stand.
    /// @return queue Queue.
    function queueNow() external view returns (Queue memory queue);

    /// @notice What a controller has, as settled by now.
    /// @param controller Controller.
    /// @return entry Deposits.
    /// @return exit Redemptions.
    function requestsOf(address controller) external view returns (Entry memory entry, Exit memory exit);

    /// @notice The mandate.
    /// @return mandate Mandate.
    /// @return limits Greeks by underlying.
    function mandateOf() external view returns (Mandate memory mandate, GreekShares[] memory limits);

    /// @notice The account that the vault owns.
    /// @return Account.
    function accountId() external view returns (uint256);

    /// @notice The trader key.
    /// @return Key; zero for none.
    function trader() external view returns (address);

    /// @notice Whether trading is stopped.
    /// @return Whether it is.
    function isStopped() external view returns (bool);

    /// @notice Cash of the vault that lies beside its account.
    /// @return Raw units.
    function idleRaw() external view returns (uint256);
}
