"""Read from and write to one deployment: accounts, margin, orders, rounds, parameters."""
