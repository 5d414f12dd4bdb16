// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";

/// @title RoundStub
/// @notice A round that a test writes directly.
contract RoundStub {
    struct StoredHeader {
        uint40 ts;
        uint104 spotWad;
        uint104 perpWad;
        uint64 confWad;
        uint104 meanWad;
    }

    struct StoredSurface {
        uint40 roundTs;
        uint104 forwardWad;
        int64 rateWad;
        int80 aWad;
        uint64 bWad;
        int64 rhoWad;
        int80 mWad;
        uint80 sWad;
    }

    error RoundStub__NoExpiry(uint256 expiryTs);

    StoredHeader private _header;
    mapping(uint40 expiryTs => StoredSurface) private _surface;

    function set(IOracle.Header calldata h, IOracle.Surface[] calldata surfaces) external {
        _header =
            StoredHeader(h.ts, uint104(h.spotWad), uint104(h.perpWad), uint64(h.confWad), uint104(h.meanWad));
        for (uint256 i; i < surfaces.length; ++i) {
            IOracle.Surface calldata s = surfaces[i];
            _surface[s.expiryTs] = StoredSurface(
                h.ts,
                uint104(s.forwardWad),
                int64(s.rateWad),
                int80(s.aWad),
                uint64(s.bWad),
                int64(s.rhoWad),
                int80(s.mWad),
                uint80(s.sWad)
            );
        }
    }

    function roundFor(uint8, uint40[] calldata expiries)
        external
        view
        returns (IOracle.Header memory header, IOracle.Surface[] memory surfaces)
    {
        StoredHeader storage h = _header;
        header = IOracle.Header(h.ts, h.spotWad, h.perpWad, h.confWad, h.meanWad);
        surfaces = new IOracle.Surface[](expiries.length);
        for (uint256 i; i < expiries.length; ++i) {
            StoredSurface memory s = _surface[expiries[i]];
            if (s.roundTs != header.ts) revert RoundStub__NoExpiry(expiries[i]);
            surfaces[i] = IOracle.Surface(
                expiries[i], s.forwardWad, s.rateWad, s.aWad, s.bWad, s.rhoWad, s.mWad, s.sWad
            );
        }
    }
}
