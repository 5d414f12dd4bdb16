"""What a person does by hand with one deployment: open, deposit, withdraw, trade, post a round, liquidate."""
