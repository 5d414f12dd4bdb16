// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IExpiringPause} from "../../interfaces/IExpiringPause.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IRiskEngine} from "../../interfaces/IRiskEngine.sol";
import {IStrategyVault} from "../../interfaces/IStrategyVault.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {PositionWord} from "../libraries/PositionWord.sol";
import {ShareMath} from "../libraries/ShareMath.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {ShareRequests} from "./ShareRequests.sol";
import {TraderMandate} from "./TraderMandate.sol";

/// @title StrategyVault
/// @notice See IStrategyVault.
/// @dev No module of the ledger: it owns one account and does what any owner may. What is handed in, returned and paid
/// out lies here; `idleRaw` is what of the rest belongs to all shares.
contract StrategyVault is ShareRequests, TraderMandate {
    using PositionWord for uint256;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint256 private constant CASH = 0;
    /// @dev Epochs that one call settles or pays, so that any number of them can be gone through.
    uint256 private constant MAX_EPOCHS = 32;
    /// @dev Below a millionth of what it cost at the beginning no share is sold: their number would grow out of bounds.
    uint256 private constant LEAST_PRICE_WAD = 1e12;
    /// @dev A redemption that waits longer stops trading: the key is not setting free what has to be paid.
    uint256 private constant WAIT_SEC = 7 days;

    IAccounts private immutable ACCOUNTS;
    IVault private immutable VAULT;
    IMarginEngine private immutable MARGIN_ENGINE;
    uint256 private immutable WAD_PER_RAW;

    /// @inheritdoc IStrategyVault
    uint256 public override idleRaw;

    /// @param name_ Name of the share.
    /// @param symbol_ Its symbol.
    /// @param p Contracts of the deployment.
    /// @param mandate What the trader key may do, and what the vault costs.
    /// @param limits Greeks by underlying.
    constructor(
        string memory name_,
        string memory symbol_,
        Protocol memory p,
        Mandate memory mandate,
        GreekShares[] memory limits
    )
        ERC20(name_, symbol_)
        ShareRequests(IVault(p.vault).tokenOf(CASH).token)
        TraderMandate(p, mandate, limits)
    {
        ACCOUNTS = IAccounts(p.accounts);
        VAULT = IVault(p.vault);
        MARGIN_ENGINE = IMarginEngine(p.marginEngine);
        WAD_PER_RAW = 10 ** (18 - VAULT.tokenOf(CASH).decimals);
        accountId = ACCOUNTS.open(address(this), mandate.mode);
        IERC20(asset).forceApprove(p.vault, type(uint256).max);
        // Closes positions while trading is stopped, and does nothing else.
        IERC721(p.accounts).approve(p.closer, accountId);
    }

    /// @inheritdoc IStrategyVault
    function settle() external override nonReentrant returns (uint256 settled) {
        uint256 roundTs = _roundTsOf(ACCOUNTS.snapshotOf(accountId));
        if (!_isDue(roundTs)) return 0;
        Value memory v = valueNow();
        _takeFee(v.exitRaw);
        uint256 supply = totalSupply();
        emit Valued(roundTs, v.valueWad, v.costWad, supply);
        uint256 priceWad = ShareMath.priceOf(v.exitRaw, supply);
        if (!isStopped && supply != 0 && priceWad < _floorWad) _stop(priceWad);
        uint256 enteredRaw;
        (settled, enteredRaw) = _admit(v, supply, priceWad);
        uint256 paidRaw = _pay(v, supply, v.freeRaw + enteredRaw);
        _queue.settledTs = uint40(roundTs);
        _noteFlows(v.exitRaw + enteredRaw - paidRaw, priceWad);
        _moveCash(enteredRaw, paidRaw);
    }

    /// @inheritdoc IStrategyVault
    function invest() external override nonReentrant {
        uint256 amountRaw = idleRaw;
        if (amountRaw == 0) revert StrategyVault__ZeroAmount(amountRaw, 1);
        idleRaw = 0;
        VAULT.deposit(accountId, asset, amountRaw);
    }

    /// @inheritdoc IStrategyVault
    function stop() external override {
        if (isStopped) revert StrategyVault__IsStopped(_floorWad);
        uint256 unpaidId = _queue.unpaidId;
        Epoch memory unpaid = _epochs[unpaidId];
        bool isOverdue = unpaid.leftShares != 0 && block.timestamp > uint256(unpaid.afterTs) + WAIT_SEC;
        uint256 priceWad = isOverdue ? 0 : ShareMath.priceOf(_exitNow(), totalSupply());
        if (!isOverdue && (priceWad >= _floorWad || totalSupply() == 0)) {
            revert StrategyVault__NotDue(priceWad, _floorWad);
        }
        _stop(priceWad);
    }

    /// @inheritdoc IStrategyVault
    function resume() external override restricted {
        if (!isStopped) revert StrategyVault__NotStopped(_floorWad);
        _letGoOn(ShareMath.priceOf(_exitNow(), totalSupply()));
    }

    /// @inheritdoc IStrategyVault
    function priceNow() external view override returns (uint256 priceWad, uint256 highWad, uint256 floorWad) {
        (priceWad, highWad, floorWad) = (ShareMath.priceOf(_exitNow(), totalSupply()), _highWad, _floorWad);
    }

    /// @inheritdoc IStrategyVault
    function valueNow() public view override returns (Value memory v) {
        IAccounts.Snapshot memory s = ACCOUNTS.snapshotOf(accountId);
        (IMarginEngine.MarginState memory m, IRiskEngine.UnderlyingDetail[] memory details) =
            MARGIN_ENGINE.evaluateDetailed(s);
        v.valueWad = m.marketEquityWad + int256(idleRaw * WAD_PER_RAW);
        v.costWad = _costOf(m, details);
        if (s.cashWad > 0) v.costWad += VAULT.lossShareOf(uint256(s.cashWad));
        int256 inWad = v.valueWad + int256(v.costWad);
        int256 outWad = v.valueWad - int256(v.costWad);
        if (inWad > 0) v.entryRaw = FixedPointMathLib.divUp(uint256(inWad), WAD_PER_RAW);
        if (outWad > 0) v.exitRaw = uint256(outWad) / WAD_PER_RAW;
        v.freeRaw = idleRaw + _freeOf(s, m);
        v.roundTs = _roundTsOf(s);
        v.isSound = m.state == IMarginEngine.State.HEALTHY;
        v.isFlat = s.positions.length == 0;
    }

    /// @notice Value of all shares at the mark, raw, rounded down; reverts without a fresh round of what is held.
    /// @return Assets, raw.
    function totalAssets() public view override returns (uint256) {
        int256 valueWad = valueNow().valueWad;
        return valueWad > 0 ? uint256(valueWad) / WAD_PER_RAW : 0;
    }

    function _exitNow() internal view override returns (uint256) {
        return valueNow().exitRaw;
    }

    function _wadPerRaw() internal view override returns (uint256) {
        return WAD_PER_RAW;
    }

    function _newestTs() internal view override returns (uint256) {
        return _newestRoundTs();
    }

    /// @dev Whether there is anything to settle at this round. Where requests wait and the round is too old for them,
    /// the open epoch is closed instead.
    function _isDue(uint256 roundTs) private returns (bool) {
        Queue memory q = _queue;
        uint256 waitingTs = _epochs[q.nextId].afterTs;
        if (waitingTs != 0 && roundTs > waitingTs) return true;
        if (q.unpaidId < q.nextId && roundTs > q.settledTs) return true;
        if (_epochs[q.openId].afterTs != 0) {
            _closeEpoch();
            return false;
        }
        if (waitingTs != 0) revert StrategyVault__NoNewRound(roundTs, waitingTs);
        if (q.unpaidId < q.nextId) revert StrategyVault__NoNewRound(roundTs, q.settledTs);
        revert StrategyVault__NothingToSettle(q.openId);
    }

    /// @dev Mints for the deposits of every epoch that is old enough, all at one price; returns them where nobody
    /// should enter: trading is stopped, the account lacks its initial margin, or closing would leave next to nothing.
    function _admit(Value memory v, uint256 supply, uint256 priceWad)
        private
        returns (uint256 settled, uint256 enteredRaw)
    {
        bool isWorthy = supply == 0 || (v.exitRaw != 0 && priceWad >= LEAST_PRICE_WAD);
        bool isOpen = !isStopped && v.isSound && isWorthy;
        uint256 id = _queue.nextId;
        for (; settled < MAX_EPOCHS; ++settled) {
            Epoch storage epoch = _epochs[id];
            if (epoch.afterTs == 0 || epoch.afterTs >= v.roundTs) break;
            if (id == _queue.openId) _closeEpoch();
            uint256 depositRaw = epoch.depositRaw;
            uint256 shares = isOpen ? ShareMath.sharesFor(depositRaw, v.entryRaw, supply) : 0;
            epoch.status = isOpen ? Status.SETTLED : Status.RETURNED;
            epoch.mintedShares = shares.toUint128();
            emit EpochSettled(id, epoch.status, depositRaw, shares);
            if (isOpen) enteredRaw += depositRaw;
            if (shares != 0) _mint(address(this), shares);
            ++id;
        }
        _queue.nextId = uint64(id);
    }

    /// @dev Pays redemptions out of `budgetRaw`, earlier epochs first.
    function _pay(Value memory v, uint256 supply, uint256 budgetRaw) private returns (uint256 paidRaw) {
        // Nothing is left beyond the cost of closing: whoever leaves now would give away what may come back.
        if (v.exitRaw == 0 && !v.isFlat) return 0;
        (uint256 id, uint256 endId) = (_queue.unpaidId, _queue.nextId);
        for (uint256 i; i < MAX_EPOCHS && id < endId; ++i) {
            Epoch storage epoch = _epochs[id];
            uint256 leftShares = epoch.leftShares;
            if (leftShares != 0) {
                uint256 wantedRaw = ShareMath.assetsFor(leftShares, v.exitRaw, supply);
                uint256 partRaw = FixedPointMathLib.min(wantedRaw, budgetRaw - paidRaw);
                if (partRaw == 0 && wantedRaw != 0) break;
                uint256 shares = partRaw == wantedRaw
                    ? leftShares
                    : FixedPointMathLib.fullMulDivUp(leftShares, partRaw, wantedRaw);
                paidRaw += partRaw;
                epoch.leftShares = uint128(leftShares - shares);
                epoch.paidRaw += uint128(partRaw);
                emit EpochPaid(id, shares, partRaw, epoch.leftShares);
                _burn(address(this), shares);
                if (epoch.leftShares != 0) break;
            }
            ++id;
        }
        _queue.unpaidId = uint64(id);
    }

    /// @dev The fee is taken before anybody enters or leaves, so that who leaves pays it and who enters does not.
    function _takeFee(uint256 exitRaw) private {
        uint256 supply = totalSupply();
        if (supply == 0) {
            // Whatever was left by those who are gone is no gain of those who come.
            _highWad = ShareMath.priceOf(exitRaw, supply);
            _floorWad = _floorBelow(_highWad);
            return;
        }
        uint256 shares = ShareMath.feeShares(exitRaw, supply, _highWad, _mandate.feeWad);
        if (shares != 0) _mint(_mandate.feeReceiver, shares);
        uint256 priceWad = ShareMath.priceOf(exitRaw, supply + shares) + 1;
        if (priceWad <= _highWad) return;
        _highWad = priceWad;
        emit FeeTaken(shares, priceWad);
        _raiseFloor();
    }

    /// @dev What entries and exits leave behind for the others is no gain that a fee is due on.
    function _noteFlows(uint256 exitRaw, uint256 thenWad) private {
        uint256 nowWad = ShareMath.priceOf(exitRaw, totalSupply());
        if (nowWad > thenWad && thenWad != 0) _highWad = FixedPointMathLib.fullMulDivUp(_highWad, nowWad, thenWad);
    }

    /// @dev Deposits pay redemptions first. What the vault of the protocol refuses, because it is paused or full, stays
    /// here and counts.
    function _moveCash(uint256 enteredRaw, uint256 paidRaw) private {
        uint256 hasRaw = idleRaw + enteredRaw;
        if (hasRaw < paidRaw) {
            idleRaw = 0;
            VAULT.withdraw(accountId, asset, paidRaw - hasRaw, address(this));
            return;
        }
        uint256 restRaw = hasRaw - paidRaw;
        if (restRaw != 0) {
            try VAULT.deposit(accountId, asset, restRaw) {
                restRaw = 0;
            } catch {
                emit CashKept(restRaw);
            }
        }
        idleRaw = restRaw;
    }

    /// @dev Half spreads on gross notional and on the vega of each expiry, and what concentration charges for size.
    function _costOf(IMarginEngine.MarginState memory m, IRiskEngine.UnderlyingDetail[] memory details)
        private
        view
        returns (uint256 costWad)
    {
        (uint256 spreadWad, uint256 volWad) = (_mandate.halfSpreadWad, _mandate.halfVolWad);
        for (uint256 i; i < details.length; ++i) {
            costWad += FixedPointMathLib.mulWadUp(m.underlyings[i].grossNotionalWad, spreadWad);
            costWad += m.underlyings[i].concentrationWad;
            IRiskEngine.ExpiryGreeks[] memory expiries = details[i].expiries;
            for (uint256 j; j < expiries.length; ++j) {
                costWad += FixedPointMathLib.mulWadUp(WadMath.abs(expiries[j].vegaWad), volWad);
            }
        }
    }

    /// @dev Cash that the account may pay out: what leaves the initial margin, and what the vault of the protocol lets
    /// go. While a loss is open, cash takes its share of it along.
    function _freeOf(IAccounts.Snapshot memory s, IMarginEngine.MarginState memory m) private view returns (uint256) {
        if (s.cashWad <= 0) return 0;
        uint256 freeWad = uint256(s.cashWad);
        if (s.positions.length != 0) {
            int256 excessWad = m.equityWad - int256(m.initialWad);
            if (excessWad <= 0 || IExpiringPause(address(VAULT)).paused()) return 0;
            freeWad = FixedPointMathLib.min(freeWad, uint256(excessWad));
        }
        freeWad = FixedPointMathLib.zeroFloorSub(freeWad, VAULT.lossShareOf(freeWad));
        return FixedPointMathLib.min(freeWad / WAD_PER_RAW, VAULT.limitOf(accountId, CASH));
    }

    /// @dev Time of the oldest of the rounds that the positions are valued by. Cash alone needs none.
    function _roundTsOf(IAccounts.Snapshot memory s) private view returns (uint256 roundTs) {
        roundTs = block.timestamp;
        uint256 last;
        for (uint256 i; i < s.positions.length; ++i) {
            uint256 id = s.positions[i].underlyingOf();
            // Neighbours mostly share their underlying.
            if (id == last) continue;
            last = id;
            (, uint256 ts) = ORACLE.lastSpotOf(uint8(id));
            roundTs = FixedPointMathLib.min(roundTs, ts);
        }
    }
}
