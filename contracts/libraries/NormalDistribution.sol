// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title NormalDistribution
/// @notice The normal distribution without a table, for any argument.
/// @dev N(-x) = 1/(2*p(x)^12) for x >= 0, p of degree 10: the form of Abramowitz and Stegun 7.1.28 (there degree 6 and
/// power 16). Because the tail is a power, its error falls with it: a price K*N(d2) far out of the money stays exact to
/// the scale of the forward. Coefficients: tools/generate/minimax.py.
/// @custom:unit wad
/// @custom:error-bound 3e-10 absolute; 1.5e-11 for 2.45 < |x| < 6.4; 7.8e-11 beyond
/// @custom:mirror scipy.special.ndtr
library NormalDistribution {
    /// @dev From here on N is exactly 0 or 1; N(-6.4) = 7.8e-11.
    uint256 private constant LIMIT_WAD = 6.4e18;
    uint256 private constant HALF_WAD = 0.5e18;

    int256 private constant C0 = 207353169067860487534566160945367952561737842558262598640067761125755715584;
    int256 private constant C1 = 925229281496512428738273337381198021796630132815152549097111552;
    int256 private constant C2 = 26835018893233452330853122890264705022906404556420800;
    int256 private constant C3 = 303346270036925099968205414365541349004564;
    int256 private constant C4 = 300036373189247088891147964104469940601842169477718395728829612032;
    int256 private constant C5 = 7596019495849197814908609324874612558831722683829452800;
    int256 private constant C6 = 134810037934627266594397577810991578152968314;
    int256 private constant C7 = -1958695173492358158831762879945417;
    int256 private constant C8 = 32514427368361005123272;
    int256 private constant C9 = -221885873061;
    /// @dev Numerator of the tail: half of the denominator at 0; the coefficient of t^10 is 1.
    int256 private constant C10 = 270389736736989180894586513105888238629400810298239456000000000000000000;

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
            int256 p = ((((((t + C9) * t + C8) * t + C7) * t + C6) * t + C5) * t + C4) >> 118;
            p = ((((p * t + C3) * t + C2) * t + C1) * t + C0) >> 198;
            p *= p;
            uint256 p4 = uint256(p * p) >> 136;
            int256 part;
            assembly ("memory-safe") {
                // Equivalent: part = HALF_WAD - (x < LIMIT_WAD ? C10 / p4**3 : 0).
                part := sub(HALF_WAD, mul(lt(x, LIMIT_WAD), div(C10, mul(mul(p4, p4), p4))))
            }
            // Half minus the tail, with the sign of x, from the middle.
            nWad = HALF_WAD + uint256((part ^ sign) - sign);
        }
    }
}
