"""What holds for all tests: examples are not timed, and a worker keeps to one thread of linear algebra.

On a busy machine a deadline says nothing about the code. Workers take a core each, and a second thread in each of them
would only wait for the others; numpy reads the variables when it is first imported, which is after this file. Programs
that tests start inherit them.
"""

from __future__ import annotations

import os

from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
