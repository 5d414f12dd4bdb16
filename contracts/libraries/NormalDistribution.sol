// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title NormalDistribution
/// @notice The normal distribution without a table, for any argument.
/// @dev N(-x) = 1/(2*p(x)^12) for x >= 0, p of degree 10: the form of Abramowitz and Stegun 7.1.28 (there degree 6 and
/// power 16). Because the tail is a power, its error falls with it: a price K*N(d2) far out of the money stays exact to
/// the scale of the forward. Coefficients: scripts/dev/make_minimax.py.
/// @custom:unit wad
/// @custom:error-bound 3e-10 absolute, and for |x| > 2.45 1.5e-11 in the smaller of N(x) and N(-x)
/// @custom:mirror scipy.special.ndtr
library NormalDistribution {
    /// @dev From here on N is exactly 0 or 1; N(-6.4) = 7.8e-11.
    uint256 private constant LIMIT_WAD = 6.4e18;
    uint256 private constant HALF_WAD = 0.5e18;

    int256 private constant C0 = 226156424291633194186662080095093570025917938800079226639565593765455331328;
    int256 private constant C1 = 1009131169269412308523299410545781586806288915937618036952924160;
    int256 private constant C2 = 29268479213384601724595343502321653242188204174617088;
    int256 private constant C3 = 330854397172503447704958822732966245563534;
    int256 private constant C4 = 343140572991171792757215166080857005591506589701432559764347574141583360;
    int256 private constant C5 = 8687288326251569503432621037744957281855595462815292351053824;
    int256 private constant C6 = 154177285807517754972726359402218020818012035452802;
    int256 private constant C7 = -2240087683379909241487730529159474197089;
    int256 private constant C8 = 37185555601360289471669810415;
    int256 private constant C9 = -253762718204841801;
    int256 private constant C10 = 1143663;

    /// @notice N(x).
    /// @custom:domain every int256
    /// @param xWad Argument, wad.
    /// @return nWad Probability in [0, 1e18], wad; never falls, and N(x) + N(-x) is exactly 1e18.
    function cdf(int256 xWad) internal pure returns (uint256 nWad) {
        unchecked {
            // Unchecked: |x| is below 2**63 after the limit, so t < 2**37 and every sum below 2**252; p < 7 is Q49.
            int256 sign = xWad >> 255; // 0 or -1
            uint256 x = uint256((xWad ^ sign) - sign);
            int256 t = int256(x >> 26);
            int256 p = ((((((C10 * t + C9) * t + C8) * t + C7) * t + C6) * t + C5) * t + C4) >> 138;
            p = ((((p * t + C3) * t + C2) * t + C1) * t + C0) >> 198;
            p *= p;
            uint256 p4 = uint256(p * p) >> 136;
            int256 part;
            assembly ("memory-safe") {
                // Equivalent: part = HALF_WAD - (x < LIMIT_WAD ? (HALF_WAD << 180) / p4**3 : 0).
                part := sub(HALF_WAD, mul(lt(x, LIMIT_WAD), div(shl(180, HALF_WAD), mul(mul(p4, p4), p4))))
            }
            // Half minus the tail, with the sign of x, from the middle.
            nWad = HALF_WAD + uint256((part ^ sign) - sign);
        }
    }
}
