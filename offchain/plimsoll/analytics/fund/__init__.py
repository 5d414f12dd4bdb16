"""How large the insurance fund has to be: what accounts together would leave unpaid."""
