// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IAccounts
/// @notice The ledger: sub-accounts (ERC-721), margin mode, cash, collateral, positions; the only writer of balances.
/// @dev Accounts 0 and 1 are the clearing account and the insurance fund. Cash and amounts are wad.
interface IAccounts {
    /// @notice Margin mode of an account.
    enum Mode {
        SINGLE,
        STANDARD,
        CROSS
    }

    /// @notice Why cash changed.
    enum Reason {
        DEPOSIT,
        WITHDRAWAL,
        TRADE,
        TRANSFER,
        SETTLEMENT,
        LIQUIDATION,
        SOCIALISED,
        CLEARING,
        FUNDING,
        INTEREST,
        RESERVE
    }

    /// @notice How cash bears interest. Utilisation and rates a year are in steps of 1e-6.
    struct RateCurve {
        /// @dev Rate when next to nothing is borrowed.
        uint24 baseRateE6;
        /// @dev Utilisation at which the rate starts to rise steeply, above 0 and below 1.
        uint24 kinkE6;
        /// @dev Rate at the kink.
        uint24 kinkRateE6;
        /// @dev Rate when everything is borrowed, at most 4 (400%).
        uint24 fullRateE6;
        /// @dev Share of the insurance fund in the interest, at most 5,000.
        uint16 reserveBps;
        /// @dev Utilisation above which no trade, loan or withdrawal may leave the ledger; the rate there is at most
        /// five points above the lowest.
        uint24 maxUtilisationE6;
    }

    /// @notice Debt of all accounts.
    struct Loan {
        uint256 debtWad;
        /// @dev Debt that one unit, borrowed when the ledger began, has grown to by now, wad.
        uint256 indexWad;
        /// @dev Rate a year, in steps of 1e-6.
        uint256 rateE6;
        /// @dev Since when it grows at that rate.
        uint256 sinceTs;
    }

    /// @notice What the margin engine computes on.
    /// @custom:unit wad
    struct Snapshot {
        uint8 mode;
        int256 cashWad;
        uint256[] tokenIds;
        uint256[] amountsWad;
        uint256[] positions;
    }

    /// @notice One fill between two accounts.
    struct Trade {
        uint256 buyerId;
        uint256 sellerId;
        /// @dev Position word with quantity 0; price is the strike, 0 for linear instruments.
        uint256 instrument;
        uint256 quantityWad;
        /// @dev Premium per unit of an option, price of a linear instrument (a multiple of 1e10).
        uint256 priceWad;
    }

    /// @notice Emitted when an account is opened.
    /// @param accountId New account.
    /// @param owner Its owner.
    /// @param mode Its margin mode.
    event AccountOpened(uint256 indexed accountId, address indexed owner, Mode mode);
    /// @notice Emitted when an account is closed, after its token was burnt.
    /// @param accountId Account.
    event AccountClosed(uint256 indexed accountId);
    /// @notice Emitted when the margin mode changes.
    /// @param accountId Account.
    /// @param oldMode Before.
    /// @param newMode After.
    event ModeChanged(uint256 indexed accountId, Mode oldMode, Mode newMode);
    /// @notice Emitted on every change of stored cash.
    /// @param accountId Account.
    /// @param deltaWad Change.
    /// @param cashWad Cash after it.
    /// @param reason Why.
    event CashChanged(uint256 indexed accountId, int256 deltaWad, int256 cashWad, Reason reason);
    /// @notice Emitted on every change of collateral.
    /// @param accountId Account.
    /// @param tokenId Token.
    /// @param deltaWad Change.
    /// @param amountWad Amount after it.
    event CollateralChanged(uint256 indexed accountId, uint256 indexed tokenId, int256 deltaWad, uint256 amountWad);
    /// @notice Emitted on every change of a position.
    /// @param accountId Account.
    /// @param oldWord Word before; 0 when there was none.
    /// @param newWord Word after; 0 when it was closed.
    event PositionChanged(uint256 indexed accountId, uint256 oldWord, uint256 newWord);
    /// @notice Emitted when a loss is spread over positive cash balances.
    /// @param lossWad Loss.
    /// @param oldIndexWad Index before.
    /// @param newIndexWad Index after.
    event LossSocialised(uint256 lossWad, uint256 oldIndexWad, uint256 newIndexWad);
    /// @notice Emitted when a contract becomes or stops being a module.
    /// @param module Contract.
    /// @param allowed Whether it may write.
    event ModuleSet(address indexed module, bool allowed);
    /// @notice Emitted when the margin engine is set.
    /// @param marginEngine Engine that is asked before and after changes of owners.
    event MarginEngineSet(address marginEngine);

    /// @notice Emitted when the funding of an underlying goes on at another rate.
    /// @param underlyingId Underlying.
    /// @param indexWad What one unit of a long has paid since the start.
    /// @param rateWad What it pays a day from now on; negative when shorts pay.
    event FundingRateSet(uint8 indexed underlyingId, int256 indexWad, int256 rateWad);
    /// @notice Emitted when a perpetual pays or receives its funding; the cash changes at once by the sum of them.
    /// @param accountId Account.
    /// @param underlyingId Underlying.
    /// @param paidWad Cash paid; negative when received.
    /// @param indexWad Index up to which the position has paid.
    event FundingSettled(uint256 indexed accountId, uint8 indexed underlyingId, int256 paidWad, int256 indexWad);
    /// @notice Emitted when interest is booked into the indices.
    /// @param interestWad What debts have grown by, rounded down.
    /// @param reserveWad Share of the insurance fund in it; the rest is that of positive cash.
    /// @param cashIndexWad Index of positive cash.
    /// @param debtIndexWad Index of debts.
    event InterestAccrued(uint256 interestWad, uint256 reserveWad, uint256 cashIndexWad, uint256 debtIndexWad);
    /// @notice Emitted when the debt or the rate on it changes, after the interest up to then.
    /// @param debtWad Debt of all accounts.
    /// @param positiveCashWad Cash that it is borrowed from.
    /// @param rateE6 Rate a year from now on, in steps of 1e-6.
    event LoansChanged(uint256 debtWad, uint256 positiveCashWad, uint256 rateE6);
    /// @notice Emitted when the curve of rates changes.
    /// @param curve Curve.
    event RateCurveSet(RateCurve curve);
    /// @notice Emitted when a cap of open interest changes.
    /// @param underlyingId Underlying.
    /// @param kind Kind of instrument.
    /// @param capWad Most that may be open on the long side of one series; 0 for no cap.
    event OpenInterestCapSet(uint8 indexed underlyingId, uint8 indexed kind, uint256 capWad);

    /// @notice Thrown when the caller is no module.
    error Accounts__NotModule(address caller);
    /// @notice Thrown when the caller may not act for the account.
    error Accounts__NotOwner(address caller, uint256 accountId);
    /// @notice Thrown when the account does not exist.
    error Accounts__UnknownAccount(uint256 accountId, uint256 nextId);
    /// @notice Thrown when an account would hold too many positions.
    error Accounts__TooManyPositions(uint256 observed, uint256 limit);
    /// @notice Thrown when collateral is missing.
    error Accounts__InsufficientCollateral(uint256 observedWad, uint256 neededWad);
    /// @notice Thrown when a cash transfer or withdrawal would make cash negative.
    error Accounts__InsufficientCash(int256 observedWad, uint256 neededWad);
    /// @notice Thrown when an amount or quantity is zero.
    error Accounts__ZeroAmount(uint256 observed, uint256 minimum);
    /// @notice Thrown when both sides of a fill are the same account.
    error Accounts__SelfTrade(uint256 accountId);
    /// @notice Thrown when a number does not fit its storage.
    error Accounts__Overflow(uint256 observed, uint256 limit);
    /// @notice Thrown when the instrument is malformed.
    error Accounts__BadInstrument(uint256 instrument);
    /// @notice Thrown when an entry price is no multiple of 1e-8.
    error Accounts__PriceStep(uint256 observedWad, uint256 stepWad);
    /// @notice Thrown when the account has no such position.
    error Accounts__NoPosition(uint256 accountId, uint256 instrument);
    /// @notice Thrown when a fraction is above one.
    error Accounts__BadFraction(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when a loss exceeds all positive cash.
    error Accounts__LossTooLarge(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when a token id does not fit the account's token mask.
    error Accounts__TokenOutOfRange(uint256 observed, uint256 limit);
    /// @notice Thrown when positions or modes of the clearing account would change.
    error Accounts__Reserved(uint256 accountId, uint256 firstFree);
    /// @notice Thrown when an expired instrument is traded.
    error Accounts__Expired(uint256 expiryTs, uint256 nowTs);
    /// @notice Thrown when the account is too unhealthy for the change.
    error Accounts__Unhealthy(int256 equityWad, uint256 initialWad);

    /// @notice Thrown when an account to be closed holds positions, collateral, cash or a debt.
    error Accounts__NotEmpty(uint256 held, int256 cashWad);
    /// @notice Thrown when a funding rate is beyond what can be stored.
    error Accounts__FundingRateOutOfRange(int256 observedWad, int256 limitWad);
    /// @notice Thrown when a trade would open more than the cap of its series.
    error Accounts__OpenInterestAboveCap(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the kink of a curve is not between 0 and 1.
    error Accounts__BadKink(uint256 observedE6, uint256 limitE6);
    /// @notice Thrown when a rate is above the one at a higher utilisation, or the last above the highest.
    error Accounts__RateAboveNext(uint256 observedE6, uint256 limitE6);
    /// @notice Thrown when the cap of utilisation is 0 or above 1.
    error Accounts__BadUtilisation(uint256 observedE6, uint256 limitE6);
    /// @notice Thrown when the rate at the cap of utilisation is too far above the lowest.
    error Accounts__LiftTooLarge(uint256 observedE6, uint256 limitE6);
    /// @notice Thrown when a trade, a loan or a withdrawal would leave more lent than the cap of utilisation allows.
    error Accounts__UtilisationAboveCap(uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when the share of the insurance fund is too large.
    error Accounts__ReserveTooLarge(uint256 observedBps, uint256 limitBps);
    /// @notice Thrown when a cap names no underlying or no kind of instrument.
    error Accounts__BadKind(uint256 underlyingId, uint256 kind);

    /// @notice Opens an account.
    /// @param owner Owner of the new account.
    /// @param mode Margin mode.
    /// @return accountId New account.
    function open(address owner, Mode mode) external returns (uint256 accountId);

    /// @notice Closes an account that holds nothing; its id is never used again and nothing can be credited to it.
    /// @dev Less cash than can be withdrawn, 1e12 wei, goes to the insurance fund.
    /// @param accountId Account of the caller.
    function close(uint256 accountId) external;

    /// @notice Changes the margin mode; initial margin must pass before and after, in the own measure.
    /// @param accountId Account of the caller.
    /// @param mode New mode.
    function setMode(uint256 accountId, Mode mode) external;

    /// @notice Moves one position with chosen collateral and cash into a new sub-account.
    /// @param accountId Account of the caller.
    /// @param instrument Position word whose instrument is moved.
    /// @param tokenId Collateral token to move along.
    /// @param amountWad Amount of it, 0 for none.
    /// @param cashWad Cash to move along, 0 for none.
    /// @return newAccountId The new account.
    function isolate(uint256 accountId, uint256 instrument, uint256 tokenId, uint256 amountWad, uint256 cashWad)
        external
        returns (uint256 newAccountId);

    /// @notice Writes a fill to both sides. Modules only.
    /// @param trade Fill.
    function applyTrade(Trade calldata trade) external;

    /// @notice Adds cash (token 0) or collateral that reached the vault. Modules only.
    /// @param accountId Account.
    /// @param tokenId Token.
    /// @param amountWad Amount.
    function creditToken(uint256 accountId, uint256 tokenId, uint256 amountWad) external;

    /// @notice Takes cash (token 0) or collateral that leaves the vault. Modules only.
    /// @param accountId Account.
    /// @param tokenId Token.
    /// @param amountWad Amount.
    function debitToken(uint256 accountId, uint256 tokenId, uint256 amountWad) external;

    /// @notice Takes cash that leaves the vault as a loan: cash may become negative. Modules only.
    /// @param accountId Account.
    /// @param amountWad Amount.
    function borrowCash(uint256 accountId, uint256 amountWad) external;

    /// @notice Moves cash between accounts; the payer's cash may become negative. Modules only.
    /// @param fromId Payer.
    /// @param toId Receiver.
    /// @param amountWad Amount.
    function moveCash(uint256 fromId, uint256 toId, uint256 amountWad) external;

    /// @notice Moves a fraction of everything but the reserve. Modules only.
    /// @param fromId Liquidated account.
    /// @param toId Bidder.
    /// @param fractionWad Fraction, at most 1.
    /// @param reserveCashWad Cash that is not part of the slice.
    function transferSlice(uint256 fromId, uint256 toId, uint256 fractionWad, uint256 reserveCashWad) external;

    /// @notice Turns the positions of one expiry into cash. Modules only.
    /// @param accountId Account.
    /// @param underlyingId Underlying.
    /// @param expiryTs Expiry.
    /// @param priceWad Settlement price.
    /// @return settled Number of positions settled.
    function settlePositions(uint256 accountId, uint8 underlyingId, uint40 expiryTs, uint256 priceWad)
        external
        returns (uint256 settled);

    /// @notice Pays a loss to an account out of all positive cash balances. Modules only.
    /// @param toId Receiver.
    /// @param lossWad Loss.
    function socialise(uint256 toId, uint256 lossWad) external;

    /// @notice Books pending socialised losses, interest and funding of some accounts; anyone may call.
    /// @param accountIds Accounts.
    function accrue(uint256[] calldata accountIds) external;

    /// @notice Allows or forbids a contract to write. Governance only.
    /// @param module Contract.
    /// @param allowed Whether it may write.
    function setModule(address module, bool allowed) external;

    /// @notice Sets the margin engine. Governance only.
    /// @param marginEngine Engine.
    function setMarginEngine(address marginEngine) external;

    /// @notice Caps the open interest of each series of a kind; what is open stays. Governance only.
    /// @param underlyingId Underlying.
    /// @param kind Kind of instrument, numbered as in PositionWord.
    /// @param capWad Most that may be open on the long side of one series; 0 for no cap.
    function setOpenInterestCap(uint8 underlyingId, uint8 kind, uint256 capWad) external;

    /// @notice Sets how cash bears interest, from now on. Governance only.
    /// @param curve Curve.
    function setRateCurve(RateCurve calldata curve) external;

    /// @notice Debt of all accounts with interest up to now, and the curve of rates.
    /// @return loan Debt.
    /// @return curve Curve.
    function lendingOf() external view returns (Loan memory loan, RateCurve memory curve);

    /// @notice Books the funding index of an underlying and goes on at another rate. Modules only.
    /// @param underlyingId Underlying.
    /// @param rateWad Cash that one unit of a long pays a day; negative when shorts pay.
    function setFundingRate(uint8 underlyingId, int256 rateWad) external;

    /// @notice Funding of an underlying.
    /// @param underlyingId Underlying.
    /// @return indexWad What one unit of a long has paid since the start, up to now.
    /// @return rateWad What it pays a day, for at most an hour since it was set.
    /// @return sinceTs When the rate was set.
    function fundingOf(uint8 underlyingId) external view returns (int256 indexWad, int256 rateWad, uint40 sinceTs);

    /// @notice Open interest of the series of an instrument, all strikes together.
    /// @param instrument Position word.
    /// @return longWad Sum of long quantities.
    /// @return capWad Most of it; 0 for no cap.
    function openInterestOf(uint256 instrument) external view returns (uint256 longWad, uint256 capWad);

    /// @notice Whether a contract may write.
    /// @param module Contract.
    /// @return True for a module.
    function isModule(address module) external view returns (bool);

    /// @notice Sum of positive cash over all accounts but the clearing account: what a socialised loss is spread over.
    /// @dev With interest up to now; rounded up by at most one wei an account and loss.
    /// @return cashWad Cash.
    function positiveCashWad() external view returns (uint256 cashWad);

    /// @notice What one unit of positive cash that has been there since the start has become: losses lower it, interest
    /// raises it.
    /// @return indexWad Index, wad, interest up to now included.
    function cashIndexWad() external view returns (uint256 indexWad);

    /// @notice The account as the margin engine sees it: pending losses, interest and unsettled funding in its cash.
    /// @param accountId Account.
    /// @return snapshot Snapshot.
    function snapshotOf(uint256 accountId) external view returns (Snapshot memory snapshot);

    /// @notice Cash with pending losses, interest and unsettled funding applied.
    /// @param accountId Account.
    /// @return cashWad Cash.
    function cashOf(uint256 accountId) external view returns (int256 cashWad);

    /// @notice Cash as stored; the sum over all accounts equals the vault's cash to the wei.
    /// @param accountId Account.
    /// @return cashWad Cash.
    function storedCashOf(uint256 accountId) external view returns (int256 cashWad);

    /// @notice Whether an address may act for an account.
    /// @param accountId Account.
    /// @param caller Address.
    /// @return True for the owner, an approved address or an operator for all.
    function isAuthorised(uint256 accountId, address caller) external view returns (bool);

    /// @notice How often an account has changed hands, a transfer to its own owner counted.
    /// @dev A permission that names the count ends for good with the next transfer.
    /// @param accountId Account.
    /// @return Number of transfers.
    function transferCountOf(uint256 accountId) external view returns (uint256);

    /// @notice Id the next account will get.
    /// @return Id.
    function nextAccountId() external view returns (uint256);
}
