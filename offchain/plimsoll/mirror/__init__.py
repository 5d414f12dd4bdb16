"""Float64 mirror of the contracts: same formulas, same names in snake_case, no network."""
