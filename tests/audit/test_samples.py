"""What an audit says of data that is no text: it speaks of samples, and rules of text do not apply."""

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from diagnose import Side, audit_metric

TEXT_WORDS = ("token", "document", "text", "byte")


def losses(model, batch):
    return functional.cross_entropy(model(batch[0]), batch[1], reduction="none")


def audited(images, classes, copied):
    """Audit a classifier whose first validation images are also training images."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(images[0].numel(), 2))
    data = TensorDataset(images[:60], classes[:60]), TensorDataset(images[60 - copied :], classes[60 - copied :])
    train, val = (Side(DataLoader(one, 16), losses) for one in data)
    return audit_metric(model, train, val)


def test_an_audit_of_images_speaks_of_samples():
    torch.manual_seed(1)
    shown = str(audited(torch.randn(90, 1, 8, 8), torch.randint(2, (90,)), 5))
    assert "14.3% of the validation samples are training samples too" in shown
    kept = shown.partition("Not judged: does not apply")[0]
    assert [word for word in TEXT_WORDS if word in kept.lower()] == []
    unjudged = shown.partition("Could not be judged\n")[2].partition("Not judged: does not apply")[0]
    assert "loss-at-start" in unjudged
    assert "labels-unrelated: it takes 64 samples" in unjudged


def test_clean_images_pass():
    torch.manual_seed(1)
    found = audited(torch.randn(90, 1, 8, 8), torch.randint(2, (90,)), 0)
    assert found.verdict.startswith("PASS: no finding"), found.verdict


def test_what_may_be_text_is_still_asked_about():
    torch.manual_seed(1)
    ids = torch.randint(50, (90, 12))
    model = torch.nn.Sequential(torch.nn.Embedding(50, 8), torch.nn.Flatten(), torch.nn.Linear(96, 2))
    side = Side(DataLoader(TensorDataset(ids, torch.randint(2, (90,))), 16), losses)
    shown = str(audit_metric(model, None, side))
    assert "future-visible" in shown.partition("Not judged: does not apply")[0]


class TestRowsOfTokens:
    """Labels for each token, and next tokens among which a batch of labels is."""

    def shown(self, targets):
        torch.manual_seed(1)
        ids = torch.randint(1, 50, (90, 12))
        model = torch.nn.Sequential(torch.nn.Embedding(50, 8), torch.nn.Linear(8, 50))

        def by_token(network, batch):
            return functional.cross_entropy(network(batch[0]).transpose(1, 2), batch[1], reduction="none")

        side = Side(DataLoader(TensorDataset(ids, targets(ids)), 16), by_token)
        shown = str(audit_metric(model, None, side))
        return shown.partition("Could not be judged\n")[2].partition("Not judged: does not apply")[::2]

    def test_labels_are_asked_nothing_that_only_next_tokens_have(self):
        unjudged, unasked = self.shown(lambda ids: ids % 5)
        assert "padding-counted" in unjudged  # padding may be scored here, too
        rules = ("future-visible", "targets-shifted", "bytes-lost", "tokenizer-lossy")
        assert [rule for rule in rules if rule in unjudged or rule not in unasked] == []

    def test_a_batch_of_labels_says_nothing_of_next_tokens_in_others(self):
        def mixed(ids):
            moved = torch.roll(ids, -1, 1)
            moved[:, -1] = -100
            moved[:16] = ids[:16] % 5
            return moved

        unjudged, unasked = self.shown(mixed)
        assert "future-visible" in unjudged
        assert "future-visible" not in unasked
