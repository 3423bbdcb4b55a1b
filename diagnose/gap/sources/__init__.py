"""The ledger of a gap for a user's model and loop."""
