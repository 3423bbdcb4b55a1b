"""What the processes of one run tell each other, beside gradients: a beginning, what the first needs, an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.training import device, processes, sharding
from diagnose.training.shares import HOST, Shares

if TYPE_CHECKING:
    from torch import nn

    from diagnose.runs.checkpoints import Tensors
    from diagnose.runs.session import Session


def train_nothing() -> None:
    """Let the processes that follow go: the run has all its steps."""
    processes.of_the_first(None)


def share_state(session: Session, moments: Tensors) -> None:
    """Have all processes of a group begin where this one, the first, is.

    Args:
        session: with the network, and the optimizer where each process holds all of it.
        moments: the optimizer's state, where the processes divide it among them.

    Raises:
        DiagnoseError: the network cannot be divided; a process is gone.
    """
    told = session.setup.digest, session.history.last()
    if not session.setup.divides:
        processes.of_the_first((*told, session.network.state_dict(), session.optimizer.state_dict()))
        return
    sharding.refuse(session.network, device.find(session.recipe.run.device))
    processes.of_the_first((*told, {}, {}))
    _divide(session, session.setup.network(HOST), session.network, moments)


def take_state(session: Session) -> bool:
    """Begin where the first process is; say whether it trains at all.

    Raises:
        DiagnoseError: the first process is gone, or trains something else.
    """
    state = processes.of_the_first(None, processes.NOT_BEGUN)
    if state is None:
        return False
    digest, last, weights, moments = state
    if digest != session.setup.digest:
        raise DiagnoseError("this process comes to another run than the first: their devices, texts or code differ")
    session.history.steps = [last] if last.step else []
    if session.setup.divides:
        _divide(session, session.network, None, {})
    else:
        session.network.load_state_dict(weights)
        session.optimizer.load_state_dict(moments)
    return True


def _divide(session: Session, built: nn.Module, whole: nn.Module | None, moments: Tensors) -> None:
    where, step = device.find(session.recipe.run.device), session.history.last().step
    session.shares = Shares.begin(built, session.recipe.optimizer, where, (whole, step), moments)
    session.optimizer = session.shares.optimizer


def go_on(session: Session, *, stops: bool = False) -> None:
    """Tell the processes that follow that the next step comes, or that none does."""
    if session.shares is not None:
        session.shares.put_away()
    processes.of_the_first(stops)


def stops(session: Session) -> bool:
    """Do what the first process asks for between two steps, until it goes on; say whether it ends the run."""
    while isinstance(wish := processes.of_the_first(None), str):
        if session.shares is not None:
            session.shares.give(wish)
    return bool(wish)
