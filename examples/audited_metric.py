"""An audit of a plain loop with two faults: dropout that eval() does not reach, and a split that overlaps."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import Side, audit_metric

torch.manual_seed(0)
x = torch.randn(480, 16)
y = (x @ torch.randn(16, 4)).argmax(1)
train = DataLoader(TensorDataset(x[:320], y[:320]), 32, shuffle=True)
val = DataLoader(TensorDataset(x[280:], y[280:]), 32)  # 40 of these are training samples


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(16, 64), nn.Linear(64, 4)

    def forward(self, x):
        return self.last(F.dropout(self.first(x).relu()))  # no training=self.training: on in evaluation too


def loss(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


audited = audit_metric(Net(), train=Side(train, loss), val=Side(val, loss))
print(audited)
print(audited.to_html("audit.html"))
