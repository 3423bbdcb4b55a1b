"""Networks, batches, losses and the one training loop; nothing here prints or writes."""
