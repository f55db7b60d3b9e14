"""`python -m z4j_brain` is the command `z4j`."""

from z4j_brain.cli import main

main()
