"""`python -m tests.hostile`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hostile.program import main

sys.exit(main(sys.argv[1:]))
