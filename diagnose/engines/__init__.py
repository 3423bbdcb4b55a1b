"""Where runs are carried out: this process, several processes on this machine, or a Ray cluster.

All of them take the same jobs and say the same of how each ended; a run's result does not depend on where it was
trained, with the same threads.
"""
