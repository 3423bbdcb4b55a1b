"""The rules of an audit: a file for each, or for several that one measurement judges, found by lying in this folder.

A file holds `RULES`, their words, which `diagnose explain` and pages read without torch, and what judges them:
functions of what was measured, called where several rules' measurements are made. A rule that measures for itself has
`judge_sides(audit, sides)` (an `AuditedSides`) or `judge_run(audit, run)` (an `AuditedRun`), which every audit calls.
"""
