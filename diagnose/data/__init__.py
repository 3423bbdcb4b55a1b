"""From files to token streams: readers, corpus, split, tokenizer, and what two texts share."""
