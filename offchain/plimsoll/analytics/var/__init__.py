"""Value at risk and expected shortfall of an account, by five methods."""
