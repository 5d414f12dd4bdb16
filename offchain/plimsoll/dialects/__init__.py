"""How others write times, numbers and tables: read by declared rules, each said with what was read."""
