"""What holds for all tests: examples are not timed, workers keep to one thread of linear algebra, Ctrl-C is heard.

On a busy machine a deadline says nothing about the code. Workers take a core each, and a second thread in each of them
would only wait for the others; numpy reads the variables when it is first imported, which is after this file. Programs
that tests start inherit them. A shell that starts the tests in the background has them ignore Ctrl-C, and every program
that they start; tests that send it need it back.
"""

from __future__ import annotations

import os
import signal

from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
