"""What holds for all tests."""

import os

# Tests run in as many processes as there are cores: threads of BLAS would only be in one another's way. It
# reads this when NumPy is loaded, and processes that tests start inherit it.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
