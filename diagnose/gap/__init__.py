"""The ledger of a gap: every part of the difference between a run's two reported losses, as terms that sum exactly."""
