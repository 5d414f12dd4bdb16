"""Reports: one self-contained HTML page with plots, and the same figures as JSON beside it."""
