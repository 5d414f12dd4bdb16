// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IExpiringPause} from "../../interfaces/IExpiringPause.sol";
import {ILendingPosition} from "../../interfaces/ILendingPosition.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {IVault} from "../../interfaces/IVault.sol";
import {LendingMath} from "../libraries/LendingMath.sol";
import {Units} from "../libraries/Units.sol";

/// @title LendingPosition
/// @notice See ILendingPosition: shares, who may steer, and what a loan is worth. Where the loan is says who inherits.
/// @dev What is repaid is paid before shares go, and collateral comes out after them: whoever looks in between, from
/// the middle of a transfer, sees shares that are worth no more than they are.
abstract contract LendingPosition is ILendingPosition, ERC20Permit, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint256 private constant WAD = Units.UWAD;
    /// @dev No account: shares in the caller's wallet. The ledger keeps this number for itself.
    uint256 private constant WALLET = Units.CLEARING;
    uint256 private constant MAX_DECIMALS = 18;
    uint256 private constant MAX_SHARE_WAD = 0.5e18;
    /// @dev What the formula takes of either side.
    uint256 private constant MAX_WAD = type(uint128).max;
    /// @dev All of the loan.
    uint256 private constant WHOLE = WAD;

    IAccounts private immutable ACCOUNTS;
    IVault private immutable VAULT;
    IMarginEngine private immutable MARGIN_ENGINE;
    IERC20 internal immutable COLLATERAL;
    IERC20 internal immutable DEBT;
    address private immutable CASH;
    uint256 private immutable BUFFER_WAD;
    uint256 private immutable COST_WAD;
    uint256 private immutable CAP_RAW;
    uint256 private immutable COLLATERAL_WAD_PER_RAW;
    uint256 private immutable DEBT_WAD_PER_RAW;

    /// @param collateral Token of the collateral.
    /// @param debt Token that is owed.
    /// @param terms Terms.
    /// @param protocol Protocol.
    /// @param holder Who gets all shares.
    constructor(
        address collateral,
        address debt,
        Terms memory terms,
        Protocol memory protocol,
        address holder
    ) {
        if ((collateral == terms.cash) == (debt == terms.cash)) revert LendingPosition__NoCash(terms.cash);
        _limit(terms.bufferWad <= MAX_SHARE_WAD, "bufferWad", terms.bufferWad, MAX_SHARE_WAD);
        _limit(terms.costWad <= MAX_SHARE_WAD, "costWad", terms.costWad, MAX_SHARE_WAD);
        _limit(terms.capRaw != 0, "capRaw", terms.capRaw, 1);
        _limit(terms.capRaw <= MAX_WAD, "capRaw", terms.capRaw, MAX_WAD);
        (ACCOUNTS, VAULT) = (IAccounts(protocol.accounts), IVault(protocol.vault));
        MARGIN_ENGINE = IMarginEngine(protocol.marginEngine);
        (COLLATERAL, DEBT, CASH) = (IERC20(collateral), IERC20(debt), terms.cash);
        (BUFFER_WAD, COST_WAD, CAP_RAW) = (terms.bufferWad, terms.costWad, terms.capRaw);
        (COLLATERAL_WAD_PER_RAW, DEBT_WAD_PER_RAW) = (_wadPerRaw(collateral), _wadPerRaw(debt));
        _mint(holder, WHOLE);
    }

    /// @inheritdoc ILendingPosition
    function take(uint256 accountId, uint256 collateralRaw, uint256 debtRaw, address to)
        external
        override
        nonReentrant
    {
        if (collateralRaw == 0 && debtRaw == 0) revert LendingPosition__ZeroAmount(0, 1);
        _requireReceiver(to);
        _requireWhole(accountId);
        emit CollateralTaken(msg.sender, accountId, to, collateralRaw, debtRaw);
        if (debtRaw != 0) _borrow(debtRaw, to);
        if (collateralRaw != 0) _withdraw(collateralRaw, to);
        // Against an empty account, as a withdrawal: what is left has to be the initial margin.
        IAccounts.Snapshot memory empty;
        if (accountId != WALLET) MARGIN_ENGINE.enforce(accountId, empty);
    }

    /// @inheritdoc ILendingPosition
    function redeem(uint256 sharesWad, address to, uint256 maxDebtRaw)
        external
        override
        nonReentrant
        returns (uint256 collateralRaw, uint256 debtRaw)
    {
        if (sharesWad == 0) revert LendingPosition__ZeroAmount(sharesWad, 1);
        _requireReceiver(to);
        uint256 supplyWad = totalSupply();
        debtRaw = _repay(sharesWad, supplyWad, maxDebtRaw);
        (uint256 heldRaw,) = _amounts();
        collateralRaw = FixedPointMathLib.fullMulDiv(heldRaw, sharesWad, supplyWad);
        _burn(msg.sender, sharesWad);
        emit PositionRedeemed(msg.sender, to, sharesWad, collateralRaw, debtRaw);
        if (collateralRaw != 0) _withdraw(collateralRaw, to);
    }

    /// @notice See IRiskSource.
    /// @dev At the first price the loan is worth what it is; at the others it is so much less as unwinding takes, and
    /// in the interval in which the other protocol may begin to liquidate, less what that takes at both ends.
    /// @param amountWad Shares.
    /// @param pricesWad Prices.
    /// @return unitsWad Units of the underlying: those of the collateral, or those that are owed, below 0.
    /// @return gammaWad 0.
    /// @return valuesWad Worth at each price.
    function valuesAt(uint256 amountWad, uint256[] calldata pricesWad)
        external
        view
        override
        returns (int256 unitsWad, int256 gammaWad, uint256[] memory valuesWad)
    {
        valuesWad = new uint256[](pricesWad.length);
        LendingMath.Loan memory loan = _loan(amountWad);
        valuesWad[0] = LendingMath.valueOf(loan, pricesWad[0]);
        // Of nothing there is nothing to lose.
        if (valuesWad[0] != 0) unitsWad = loan.isLong ? int256(loan.unitsWad) : -int256(loan.unitsWad);
        loan.reserveWad =
            FixedPointMathLib.mulWadUp(FixedPointMathLib.mulWadUp(loan.unitsWad, pricesWad[0]), COST_WAD);
        LendingMath.fill(loan, pricesWad, valuesWad);
        gammaWad = 0;
    }

    /// @inheritdoc ILendingPosition
    function amounts() external view override returns (uint256 collateralRaw, uint256 debtRaw) {
        return _amounts();
    }

    /// @inheritdoc ILendingPosition
    function termsOf() external view override returns (Terms memory terms) {
        return Terms(CASH, BUFFER_WAD, COST_WAD, CAP_RAW);
    }

    /// @inheritdoc ILendingPosition
    function collateralToken() external view override returns (address) {
        return address(COLLATERAL);
    }

    /// @inheritdoc ILendingPosition
    function loanToken() external view override returns (address) {
        return address(DEBT);
    }

    /// @dev Takes what somebody repays out of his allowance and lets the other protocol have it.
    function _collect(uint256 debtRaw, uint256 maxDebtRaw, address venue) internal {
        if (debtRaw > maxDebtRaw) revert LendingPosition__AboveMaximum(debtRaw, maxDebtRaw);
        DEBT.safeTransferFrom(msg.sender, address(this), debtRaw);
        DEBT.forceApprove(venue, debtRaw);
    }

    /// @dev Borrows for the contract itself.
    function _borrow(uint256 debtRaw, address to) internal virtual;

    /// @dev Takes collateral out.
    function _withdraw(uint256 collateralRaw, address to) internal virtual;

    /// @dev Repays the part of some shares, rounded up; returns how much that was.
    function _repay(uint256 sharesWad, uint256 supplyWad, uint256 maxDebtRaw)
        internal
        virtual
        returns (uint256 debtRaw);

    /// @dev Collateral, and what is owed with interest up to now, rounded up.
    function _amounts() internal view virtual returns (uint256 collateralRaw, uint256 debtRaw);

    /// @dev The most that may be owed of each unit of collateral, and what a liquidator gets for each unit repaid.
    function _limits() internal view virtual returns (uint256 thresholdWad, uint256 incentiveWad);

    /// @dev Shares of the loan as they count. A price of the other protocol that is worse by the buffer makes it
    /// liquidate so much earlier, and take so much more.
    function _loan(uint256 amountWad) private view returns (LendingMath.Loan memory loan) {
        uint256 supplyWad = totalSupply();
        (uint256 heldWad, uint256 owedWad) = _amounts();
        heldWad = FixedPointMathLib.min(heldWad, CAP_RAW * supplyWad / WHOLE) * COLLATERAL_WAD_PER_RAW;
        heldWad = FixedPointMathLib.fullMulDiv(heldWad, amountWad, supplyWad);
        owedWad = FixedPointMathLib.fullMulDivUp(owedWad * DEBT_WAD_PER_RAW, amountWad, supplyWad);
        _requireSmall(heldWad);
        _requireSmall(owedWad);
        loan.isLong = address(DEBT) == CASH;
        (loan.unitsWad, loan.cashWad) = loan.isLong ? (heldWad, owedWad) : (owedWad, heldWad);
        (uint256 thresholdWad, uint256 incentiveWad) = _limits();
        loan.thresholdWad = FixedPointMathLib.mulWad(thresholdWad, WAD - BUFFER_WAD);
        loan.seizedWad = FixedPointMathLib.divWadUp(incentiveWad, WAD - BUFFER_WAD);
    }

    /// @dev Whether all shares are the caller's, in his wallet or in an account that he may act for.
    function _requireWhole(uint256 accountId) private view {
        (uint256 hasWad, uint256 supplyWad) = (balanceOf(msg.sender), totalSupply());
        if (accountId != WALLET) {
            if (!ACCOUNTS.isAuthorised(accountId, msg.sender)) {
                revert LendingPosition__NotAuthorised(msg.sender, accountId);
            }
            if (IExpiringPause(address(VAULT)).paused()) revert LendingPosition__VaultPaused(address(VAULT));
            hasWad = _sharesOf(accountId);
        }
        if (hasWad != supplyWad) revert LendingPosition__NotWhole(hasWad, supplyWad);
    }

    function _sharesOf(uint256 accountId) private view returns (uint256) {
        IAccounts.Snapshot memory s = ACCOUNTS.snapshotOf(accountId);
        uint256 tokenId = VAULT.tokenIdOf(address(this));
        for (uint256 i; i < s.tokenIds.length; ++i) {
            if (s.tokenIds[i] == tokenId) return s.amountsWad[i];
        }
        return 0;
    }

    function _requireSmall(uint256 amountWad) private pure {
        if (amountWad > MAX_WAD) revert LendingPosition__TooMuch(amountWad, MAX_WAD);
    }

    function _requireReceiver(address to) private view {
        if (to == address(0) || to == address(this)) revert LendingPosition__BadReceiver(to);
    }

    function _wadPerRaw(address token) private view returns (uint256) {
        uint256 decimals_ = IERC20Metadata(token).decimals();
        _limit(decimals_ <= MAX_DECIMALS, "decimals", decimals_, MAX_DECIMALS);
        return 10 ** (MAX_DECIMALS - decimals_);
    }

    function _limit(bool isWithin, bytes32 name, uint256 observed, uint256 limit) private pure {
        if (!isWithin) revert LendingPosition__BadTerms(name, observed, limit);
    }
}
