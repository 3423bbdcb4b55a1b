"""The ledger for Lightning."""
