"""Books of other venues: their answers and exports read, converted exactly, written as our files."""
