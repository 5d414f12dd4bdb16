// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IERC7540
/// @notice The standard of vaults whose deposits and redemptions are requested first and claimed later (ERC-7540), with
/// the address of the share from ERC-7575.
/// @dev A controller is whom a request belongs to. Request ids are all 0 here: what is pending and claimable is told by
/// the controller alone.
interface IERC7540 {
    /// @notice Emitted when assets are handed in for shares.
    /// @param controller Whom the request belongs to.
    /// @param owner Who paid.
    /// @param requestId 0.
    /// @param sender Who asked.
    /// @param assets Assets, raw.
    event DepositRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 assets
    );
    /// @notice Emitted when shares are handed in for assets.
    /// @param controller Whom the request belongs to.
    /// @param owner Whose shares they were.
    /// @param requestId 0.
    /// @param sender Who asked.
    /// @param shares Shares.
    event RedeemRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 shares
    );
    /// @notice Emitted when a controller lets somebody act for it, or no longer.
    /// @param controller Controller.
    /// @param operator Who may act.
    /// @param approved Whether it may.
    event OperatorSet(address indexed controller, address indexed operator, bool approved);

    /// @notice Hands in assets for shares.
    /// @param assets Assets, raw.
    /// @param controller Whom the request belongs to: the caller, or who made it operator.
    /// @param owner Who pays: the caller, or who made it operator.
    /// @return requestId 0.
    function requestDeposit(uint256 assets, address controller, address owner) external returns (uint256 requestId);

    /// @notice Hands in shares for assets.
    /// @param shares Shares.
    /// @param controller Whom the request belongs to: the caller, or who made it operator.
    /// @param owner Whose shares: the caller's, of who made it operator, or of who approved the shares.
    /// @return requestId 0.
    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256 requestId);

    /// @notice Claims shares for a deposit that was settled.
    /// @param assets Assets of it, raw.
    /// @param receiver Who gets the shares.
    /// @param controller Whose request it was: the caller, or who made it operator.
    /// @return shares Shares.
    function deposit(uint256 assets, address receiver, address controller) external returns (uint256 shares);

    /// @notice Claims a number of shares for a deposit that was settled.
    /// @param shares Shares.
    /// @param receiver Who gets the shares.
    /// @param controller Whose request it was: the caller, or who made it operator.
    /// @return assets Assets of the deposit that they stand for, raw.
    function mint(uint256 shares, address receiver, address controller) external returns (uint256 assets);

    /// @notice Lets somebody act for the caller, or no longer.
    /// @param operator Who may act.
    /// @param approved Whether it may.
    /// @return True.
    function setOperator(address operator, bool approved) external returns (bool);

    /// @notice Whether somebody may act for a controller.
    /// @param controller Controller.
    /// @param operator Who would act.
    /// @return Whether it may.
    function isOperator(address controller, address operator) external view returns (bool);

    /// @notice Assets that wait to be settled.
    /// @param requestId 0; nothing belongs to any other.
    /// @param controller Controller.
    /// @return assets Assets, raw.
    function pendingDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets);

    /// @notice Assets that are settled and whose shares wait to be claimed.
    /// @param requestId 0; nothing belongs to any other.
    /// @param controller Controller.
    /// @return assets Assets, raw.
    function claimableDepositRequest(uint256 requestId, address controller) external view returns (uint256 assets);

    /// @notice Shares that wait to be settled.
    /// @param requestId 0; nothing belongs to any other.
    /// @param controller Controller.
    /// @return shares Shares.
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);

    /// @notice Shares that are settled and whose assets wait to be claimed.
    /// @param requestId 0; nothing belongs to any other.
    /// @param controller Controller.
    /// @return shares Shares.
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);

    /// @notice The token of the shares (ERC-7575): the vault itself.
    /// @return Address.
    function share() external view returns (address);
}
