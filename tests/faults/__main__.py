"""`python -m tests.faults`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.program import main

sys.exit(main(sys.argv[1:]))
