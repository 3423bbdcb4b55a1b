"""What is taken of Lightning, under whichever of its two names it is installed."""

try:
    from lightning.fabric.utilities import move_data_to_device
    from lightning.pytorch import Callback
    from lightning.pytorch.trainer.states import RunningStage
    from lightning.pytorch.utilities.combined_loader import CombinedLoader
    from lightning.pytorch.utilities.data import extract_batch_size
except ModuleNotFoundError:
    from lightning_fabric.utilities import move_data_to_device
    from pytorch_lightning import Callback
    from pytorch_lightning.trainer.states import RunningStage
    from pytorch_lightning.utilities.combined_loader import CombinedLoader
    from pytorch_lightning.utilities.data import extract_batch_size

__all__ = ["Callback", "CombinedLoader", "RunningStage", "extract_batch_size", "move_data_to_device"]
