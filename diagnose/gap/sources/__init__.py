"""The ledger of a gap for anybody's model and loop."""
