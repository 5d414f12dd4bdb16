"""Risk analytics on the float mirror: VaR, stress, calibration and back-test; no network, no clock."""
