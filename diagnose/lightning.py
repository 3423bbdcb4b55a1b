"""The public name of the callback for Lightning: `from diagnose.lightning import GapCallback`."""

from diagnose.integrations.lightning_callback import LightningGapCallback as GapCallback

__all__ = ["GapCallback"]
