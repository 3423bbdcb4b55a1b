"""What a training loop leaves behind to go back to: its steps, batches and weights, in memory and as files."""
