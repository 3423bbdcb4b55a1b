"""Networks under test. They import torch alone and know nothing of the toolkit, which finds them by name."""
