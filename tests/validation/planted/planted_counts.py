"""The table at the end of a planted suite."""

from scipy.stats import binom


def judge_intervals(found):
    """Print (case, leading part, its value, the truth's, intervals, misses) of all, and refuse more misses than luck.

    A binomial test on 95 % says how many are luck's.
    """
    print("\n\n| planted | leads | ledger | brute force | intervals | missed |")
    print("| --- | --- | ---: | ---: | ---: | --- |")
    for name, largest, value, true, intervals, wrong in found:
        print(f"| {name} | {largest} | {value:+.4f} | {true:+.4f} | {intervals} | {', '.join(wrong) or '-'} |")
    count, missed = sum(row[4] for row in found), sum(len(row[5]) for row in found)
    print(f"\n{len(found)} cases, {count - missed} of {count} intervals hold the truth")
    assert missed <= binom.ppf(0.95, count, 0.05)
