"""Stand-ins for the kernels of `linear_cross_entropy` in plain torch, for machines without a card."""

from torch.nn import functional as F


class Launched:
    """What `kernel[programs](...)` is, of a function that does all programs' work at once."""

    def __init__(self, work):
        self.work, self.programs = work, []

    def __getitem__(self, programs):
        self.programs.append(programs)
        return self.work


def _losses(x_ND, weight_VD, targets_N, nats_N, normalisers_N, smoothing, *_, **__):
    logits_NV = x_ND.float() @ weight_VD.float().T
    nats_N.copy_(F.cross_entropy(logits_NV, targets_N, reduction="none", label_smoothing=smoothing))
    normalisers_N.copy_(logits_NV.logsumexp(1))


def _of_logits(x_ND, weight_VD, targets_N, upstream_N, smoothing):
    p_NV = (x_ND.float() @ weight_VD.float().T).softmax(1) - smoothing / len(weight_VD)
    return (p_NV - (1 - smoothing) * F.one_hot(targets_N, len(weight_VD))) * upstream_N[:, None]


def _of_features(x_ND, weight_VD, targets_N, _, upstream_N, gradient_ND, smoothing, *__, **___):
    gradient_ND.copy_(_of_logits(x_ND, weight_VD, targets_N, upstream_N, smoothing) @ weight_VD.float())


def _of_weight(x_ND, weight_VD, targets_N, _, upstream_N, gradient_VD, smoothing, *__, **___):
    gradient_VD.copy_(_of_logits(x_ND, weight_VD, targets_N, upstream_N, smoothing).T @ x_ND.float())


losses, gradient_of_features, gradient_of_weight = Launched(_losses), Launched(_of_features), Launched(_of_weight)
