"""Whether this worker was asked to end: long work then stops, for the next worker to go on with."""

import mmap

# Anonymous and shared: the process that is asked isn't one that works, it has forked those. No lock
# is needed to read a byte, so one that is killed as it reads leaves nothing locked behind.
_mark = mmap.mmap(-1, 1)


def ask() -> None:
    """Have all processes of this worker stop at their next look."""
    _mark[0] = 1


def is_asked() -> bool:
    return _mark[0] == 1


def forget() -> None:
    """Take it back; for processes that outlive a worker, such as tests."""
    _mark[0] = 0
