"""Run a command that ends when the process that started it does, even after its kill -9 (Linux).

``python -I -S config/end_with_parent.py PARENT COMMAND ...``. It becomes the command: asked of the
kernel before, the request outlives the exec. Doing it between fork and exec isn't safe in a
parent with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, *command = sys.argv[1:]
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):
            sys.exit(1)  # it died before we asked
    os.execvp(command[0], command)  # noqa: S606 (our own commands)
