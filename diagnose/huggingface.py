"""The public name of the callback for Hugging Face's Trainer: `from diagnose.huggingface import GapCallback`."""

from diagnose.integrations.trainer_callback import TrainerGapCallback as GapCallback

__all__ = ["GapCallback"]
