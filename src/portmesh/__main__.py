"""`python -m portmesh` is the `portmesh` command."""

from portmesh.cli import main

main()
