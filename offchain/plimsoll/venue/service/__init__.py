"""What the API asks: orders, markets, accounts, quotes and logins over one desk and one world."""
