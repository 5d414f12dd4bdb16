"""What ``import plimsoll as pm`` offers: files in, answers out, one call each."""
