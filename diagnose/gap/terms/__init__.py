"""The terms of a ledger: a file for each, or for several that the same readings give, found by lying in this folder.

A file holds `KINDS`, what there is to say of its terms wherever they occur, and `terms(found, given)`, which returns
them as differences of what was read (`Measurements`) and reported (`ReportedLosses`). Terms of the walk from one loss
to the other are differences of consecutive readings, so that they telescope whatever was read; a further term
(`beside`) takes what it explains from the residual.
"""
