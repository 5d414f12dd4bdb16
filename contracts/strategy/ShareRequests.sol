// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IERC7540} from "../../interfaces/IERC7540.sol";
import {IStrategyVault} from "../../interfaces/IStrategyVault.sol";
import {ShareMath} from "../libraries/ShareMath.sol";
import {Units} from "../libraries/Units.sol";

/// @title ShareRequests
/// @notice Requests of a strategy vault, the epochs that gather them, and what may be claimed after settlement. See
/// IERC7540 and IStrategyVault.
/// @dev Everybody in an epoch has the same part of what was settled of it, so that a claim follows from the epoch's
/// sums and from what its controller handed in, without a loop over controllers. Claims are rounded down: what they
/// leave over stays here.
abstract contract ShareRequests is IStrategyVault, IERC7540, IERC4626, ERC20, ReentrancyGuardTransient, IERC165 {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev After this long a request that is not settled may be taken back: nobody is stuck behind a price that stays
    /// out. Before it that would be an option on the next round.
    uint256 private constant CANCEL_SEC = 1 days;
    /// @dev The clock of a signer may be ahead: a round that was signed before a request may bear a later time than the
    /// request, by no more than this.
    uint256 private constant AHEAD_SEC = Units.MAX_AHEAD_SEC;
    /// @dev ERC-7575, and the three parts of ERC-7540.
    bytes4 private constant VAULT_ID = 0x2f0a18c5;
    bytes4 private constant OPERATOR_ID = 0xe3bc4e65;
    bytes4 private constant DEPOSIT_ID = 0xce3bbe50;
    bytes4 private constant REDEEM_ID = 0x620ee8e4;

    /// @inheritdoc IERC4626
    address public immutable override asset;
    uint8 private immutable DECIMALS;

    /// @inheritdoc IERC7540
    mapping(address controller => mapping(address operator => bool)) public override isOperator;

    Queue internal _queue = Queue(1, 1, 1, 0);
    mapping(uint256 epochId => Epoch) internal _epochs;
    mapping(address controller => Entry) private _entries;
    mapping(address controller => Exit) private _exits;

    modifier onlyOperatorOf(address controller) {
        _requireOperator(controller);
        _;
    }

    constructor(address asset_) {
        asset = asset_;
        DECIMALS = IERC20Metadata(asset_).decimals() + ShareMath.OFFSET;
    }

    /// @inheritdoc IERC7540
    function setOperator(address operator, bool approved) external override returns (bool) {
        isOperator[msg.sender][operator] = approved;
        emit OperatorSet(msg.sender, operator, approved);
        return true;
    }

    /// @inheritdoc IERC7540
    function requestDeposit(uint256 assets, address controller, address owner)
        external
        override
        nonReentrant
        onlyOperatorOf(owner)
        onlyOperatorOf(controller)
        returns (uint256 requestId)
    {
        _requireSome(assets);
        Entry memory entry = _entryOf(controller);
        uint256 epochId = _join(entry.pendingRaw == 0 ? 0 : entry.epochId);
        (entry.pendingRaw, entry.epochId) = (entry.pendingRaw + assets.toUint128(), uint64(epochId));
        _entries[controller] = entry;
        _epochs[epochId].depositRaw += assets.toUint128();
        emit DepositRequest(controller, owner, 0, msg.sender, assets);
        _take(owner, assets);
        return 0;
    }

    /// @inheritdoc IERC7540
    function requestRedeem(uint256 shares, address controller, address owner)
        external
        override
        nonReentrant
        onlyOperatorOf(controller)
        returns (uint256 requestId)
    {
        _requireSome(shares);
        if (msg.sender != owner && !isOperator[owner][msg.sender]) _spendAllowance(owner, msg.sender, shares);
        Exit memory exit = _exitOf(controller);
        uint256 epochId = _join(exit.shares == 0 ? 0 : exit.epochId);
        (exit.shares, exit.epochId) = (exit.shares + shares.toUint128(), uint64(epochId));
        _exits[controller] = exit;
        Epoch storage epoch = _epochs[epochId];
        (epoch.redeemShares, epoch.leftShares) =
            (epoch.redeemShares + uint128(shares), epoch.leftShares + uint128(shares));
        emit RedeemRequest(controller, owner, 0, msg.sender, shares);
        _transfer(owner, address(this), shares);
        return 0;
    }

    /// @inheritdoc IStrategyVault
    function cancelDeposit(address controller, address receiver)
        external
        override
        nonReentrant
        onlyOperatorOf(controller)
        returns (uint256 assetsRaw)
    {
        Entry memory entry = _entryOf(controller);
        if (entry.pendingRaw == 0) revert StrategyVault__NoRequest(controller);
        Epoch storage epoch = _epochs[entry.epochId];
        if (epoch.status == Status.PENDING) _requireOverdue(epoch.afterTs);
        assetsRaw = entry.pendingRaw;
        epoch.depositRaw -= uint128(assetsRaw);
        entry.pendingRaw = 0;
        _entries[controller] = entry;
        emit RequestCancelled(controller, receiver, assetsRaw, 0);
        IERC20(asset).safeTransfer(receiver, assetsRaw);
    }

    /// @inheritdoc IStrategyVault
    function cancelRedeem(address controller, address receiver)
        external
        override
        nonReentrant
        onlyOperatorOf(controller)
        returns (uint256 shares)
    {
        Exit memory exit = _exitOf(controller);
        if (exit.shares == 0) revert StrategyVault__NoRequest(controller);
        Epoch storage epoch = _epochs[exit.epochId];
        _requireOverdue(epoch.afterTs);
        shares = exit.shares - exit.seenShares;
        (epoch.redeemShares, epoch.leftShares) =
            (epoch.redeemShares - exit.shares, epoch.leftShares - uint128(shares));
        epoch.paidRaw -= exit.seenRaw;
        (exit.shares, exit.seenShares, exit.seenRaw) = (0, 0, 0);
        _exits[controller] = exit;
        emit RequestCancelled(controller, receiver, 0, shares);
        _transfer(address(this), receiver, shares);
    }

    /// @inheritdoc IERC7540
    function deposit(uint256 assets, address receiver, address controller)
        public
        override
        nonReentrant
        onlyOperatorOf(controller)
        returns (uint256 shares)
    {
        _requireSome(assets);
        Entry memory entry = _entryOf(controller);
        if (assets > entry.claimRaw) revert StrategyVault__AboveClaimable(assets, entry.claimRaw);
        shares = FixedPointMathLib.fullMulDiv(assets, entry.claimShares, entry.claimRaw);
        _claimEntry(controller, entry, assets, shares, receiver);
    }

    /// @inheritdoc IERC7540
    function mint(uint256 shares, address receiver, address controller)
        public
        override
        nonReentrant
        onlyOperatorOf(controller)
        returns (uint256 assets)
    {
        _requireSome(shares);
        Entry memory entry = _entryOf(controller);
        if (shares > entry.claimShares) revert StrategyVault__AboveClaimable(shares, entry.claimShares);
        assets = FixedPointMathLib.fullMulDivUp(shares, entry.claimRaw, entry.claimShares);
        _claimEntry(controller, entry, assets, shares, receiver);
    }

    /// @inheritdoc IERC4626
    function deposit(uint256 assets, address receiver) public override returns (uint256) {
        return deposit(assets, receiver, msg.sender);
    }

    /// @inheritdoc IERC4626
    function mint(uint256 shares, address receiver) public override returns (uint256) {
        return mint(shares, receiver, msg.sender);
    }

    /// @notice Claims assets for shares that were settled.
    /// @param assets Assets, raw.
    /// @param receiver Who gets them.
    /// @param controller Whose request it was: the caller, or who made it operator.
    /// @return shares Shares that they were paid for.
    function withdraw(uint256 assets, address receiver, address controller)
        public
        override
        nonReentrant
        onlyOperatorOf(controller)
        returns (uint256 shares)
    {
        _requireSome(assets);
        Exit memory exit = _exitOf(controller);
        if (assets > exit.claimRaw) revert StrategyVault__AboveClaimable(assets, exit.claimRaw);
        shares = FixedPointMathLib.fullMulDivUp(assets, exit.claimShares, exit.claimRaw);
        _claimExit(controller, exit, assets, shares, receiver);
    }

    /// @notice Claims assets for a number of shares that were settled.
    /// @param shares Shares.
    /// @param receiver Who gets the assets.
    /// @param controller Whose request it was: the caller, or who made it operator.
    /// @return assets Assets, raw; 0 for shares that were worth nothing.
    function redeem(uint256 shares, address receiver, address controller)
        public
        override
        nonReentrant
        onlyOperatorOf(controller)
        returns (uint256 assets)
    {
        _requireSome(shares);
        Exit memory exit = _exitOf(controller);
        if (shares > exit.claimShares) revert StrategyVault__AboveClaimable(shares, exit.claimShares);
        assets = FixedPointMathLib.fullMulDiv(shares, exit.claimRaw, exit.claimShares);
        _claimExit(controller, exit, assets, shares, receiver);
    }

    /// @inheritdoc IStrategyVault
    function epochOf(uint256 epochId) external view override returns (Epoch memory epoch) {
        epoch = _epochs[epochId];
    }

    /// @inheritdoc IStrategyVault
    function queueNow() external view override returns (Queue memory queue) {
        queue = _queue;
    }

    /// @inheritdoc IStrategyVault
    function requestsOf(address controller) external view override returns (Entry memory entry, Exit memory exit) {
        (entry, exit) = (_entryOf(controller), _exitOf(controller));
    }

    /// @inheritdoc IERC7540
    function pendingDepositRequest(uint256 requestId, address controller) external view override returns (uint256) {
        return requestId == 0 ? _entryOf(controller).pendingRaw : 0;
    }

    /// @inheritdoc IERC7540
    function claimableDepositRequest(uint256 requestId, address controller)
        external
        view
        override
        returns (uint256)
    {
        return requestId == 0 ? maxDeposit(controller) : 0;
    }

    /// @inheritdoc IERC7540
    function pendingRedeemRequest(uint256 requestId, address controller) external view override returns (uint256) {
        Exit memory exit = _exitOf(controller);
        return requestId == 0 ? exit.shares - exit.seenShares : 0;
    }

    /// @inheritdoc IERC7540
    function claimableRedeemRequest(uint256 requestId, address controller) external view override returns (uint256) {
        return requestId == 0 ? maxRedeem(controller) : 0;
    }

    /// @inheritdoc IERC7540
    function share() external view override returns (address) {
        return address(this);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure override returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == VAULT_ID || interfaceId == OPERATOR_ID
            || interfaceId == DEPOSIT_ID || interfaceId == REDEEM_ID;
    }

    /// @notice Assets of settled deposits of a controller that it has not claimed.
    /// @param controller Controller.
    /// @return Assets, raw.
    function maxDeposit(address controller) public view override returns (uint256) {
        return _entryOf(controller).claimRaw;
    }

    /// @notice Shares of settled deposits of a controller that it has not claimed.
    /// @param controller Controller.
    /// @return Shares.
    function maxMint(address controller) public view override returns (uint256) {
        return _entryOf(controller).claimShares;
    }

    /// @notice Assets of settled redemptions of a controller that it has not claimed.
    /// @param controller Controller.
    /// @return Assets, raw.
    function maxWithdraw(address controller) public view override returns (uint256) {
        return _exitOf(controller).claimRaw;
    }

    /// @notice Shares of settled redemptions of a controller whose assets it has not claimed.
    /// @param controller Controller.
    /// @return Shares.
    function maxRedeem(address controller) public view override returns (uint256) {
        return _exitOf(controller).claimShares;
    }

    /// @inheritdoc IERC4626
    /// @dev Reverts, as do the other three: the price of a request is not known before it is settled.
    function previewDeposit(uint256 assets) public pure override returns (uint256) {
        revert StrategyVault__Asynchronous(assets);
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256 shares) public pure override returns (uint256) {
        revert StrategyVault__Asynchronous(shares);
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets) public pure override returns (uint256) {
        revert StrategyVault__Asynchronous(assets);
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 shares) public pure override returns (uint256) {
        revert StrategyVault__Asynchronous(shares);
    }

    /// @inheritdoc IERC4626
    function convertToShares(uint256 assets) external view override returns (uint256) {
        return ShareMath.sharesFor(assets, totalAssets(), totalSupply());
    }

    /// @inheritdoc IERC4626
    function convertToAssets(uint256 shares) external view override returns (uint256) {
        return ShareMath.assetsFor(shares, totalAssets(), totalSupply());
    }

    /// @notice Decimals of the asset and six more.
    /// @return Count.
    function decimals() public view override(ERC20, IERC20Metadata) returns (uint8) {
        return DECIMALS;
    }

    /// @inheritdoc IERC4626
    function totalAssets() public view virtual override returns (uint256);

    /// @dev Time of the newest round there is, of any underlying of the mandate.
    function _newestTs() internal view virtual returns (uint256 ts);

    /// @dev No request enters the open epoch any more.
    function _closeEpoch() internal {
        emit EpochClosed(_queue.openId, _epochs[_queue.openId].afterTs);
        ++_queue.openId;
    }

    /// @dev Moves all that a settled epoch minted or paid so far into what may be claimed; here only in memory.
    function _entryOf(address controller) internal view returns (Entry memory entry) {
        entry = _entries[controller];
        if (entry.pendingRaw == 0) return entry;
        Epoch memory epoch = _epochs[entry.epochId];
        if (epoch.status != Status.SETTLED) return entry;
        entry.claimShares +=
            uint128(FixedPointMathLib.fullMulDiv(entry.pendingRaw, epoch.mintedShares, epoch.depositRaw));
        entry.claimRaw += entry.pendingRaw;
        entry.pendingRaw = 0;
    }

    /// @dev The same for redemptions, of which a part may be settled.
    function _exitOf(address controller) internal view returns (Exit memory exit) {
        exit = _exits[controller];
        if (exit.shares == 0) return exit;
        Epoch memory epoch = _epochs[exit.epochId];
        // Rounded down what is left, which is held for them; what is settled is burnt and counts as a measure alone.
        uint256 leftShares = FixedPointMathLib.fullMulDiv(exit.shares, epoch.leftShares, epoch.redeemShares);
        uint256 settledShares = exit.shares - leftShares;
        uint256 raw = FixedPointMathLib.fullMulDiv(exit.shares, epoch.paidRaw, epoch.redeemShares);
        exit.claimShares += uint128(FixedPointMathLib.zeroFloorSub(settledShares, exit.seenShares));
        exit.claimRaw += uint128(raw - exit.seenRaw);
        (exit.seenShares, exit.seenRaw) = (uint128(settledShares), uint128(raw));
        if (epoch.leftShares == 0) (exit.shares, exit.seenShares, exit.seenRaw) = (0, 0, 0);
    }

    /// @dev The epoch that a request enters: one that could be settled today takes none. `heldId` is that of a request
    /// which its controller has already, 0 for none.
    function _join(uint256 heldId) private returns (uint256 epochId) {
        (uint256 afterTs, uint256 newestTs) = (_epochs[_queue.openId].afterTs, _newestTs());
        if (afterTs != 0 && newestTs > afterTs) _closeEpoch();
        epochId = _queue.openId;
        if (heldId != 0 && heldId != epochId) revert StrategyVault__RequestPending(heldId, epochId);
        _epochs[epochId].afterTs = uint40(FixedPointMathLib.max(block.timestamp + AHEAD_SEC, newestTs));
    }

    function _take(address from, uint256 amountRaw) private {
        IERC20 token = IERC20(asset);
        uint256 heldRaw = token.balanceOf(address(this));
        token.safeTransferFrom(from, address(this), amountRaw);
        uint256 receivedRaw = token.balanceOf(address(this)) - heldRaw;
        if (receivedRaw != amountRaw) revert StrategyVault__InexactTransfer(receivedRaw, amountRaw);
    }

    function _claimEntry(address controller, Entry memory entry, uint256 assets, uint256 shares, address receiver)
        private
    {
        (entry.claimRaw, entry.claimShares) = (entry.claimRaw - uint128(assets), entry.claimShares - uint128(shares));
        _entries[controller] = entry;
        emit Deposit(controller, receiver, assets, shares);
        _transfer(address(this), receiver, shares);
    }

    function _claimExit(address controller, Exit memory exit, uint256 assets, uint256 shares, address receiver)
        private
    {
        (exit.claimRaw, exit.claimShares) = (exit.claimRaw - uint128(assets), exit.claimShares - uint128(shares));
        _exits[controller] = exit;
        emit Withdraw(msg.sender, receiver, controller, assets, shares);
        IERC20(asset).safeTransfer(receiver, assets);
    }

    function _requireOperator(address controller) private view {
        if (msg.sender != controller && !isOperator[controller][msg.sender]) {
            revert StrategyVault__NotOperator(msg.sender, controller);
        }
    }

    function _requireOverdue(uint256 afterTs) private view {
        uint256 limitTs = afterTs + CANCEL_SEC;
        if (block.timestamp < limitTs) revert StrategyVault__CancelTooEarly(block.timestamp, limitTs);
    }

    function _requireSome(uint256 amount) private pure {
        if (amount == 0) revert StrategyVault__ZeroAmount(amount, 1);
    }
}
