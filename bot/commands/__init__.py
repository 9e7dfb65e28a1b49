"""What the command line does, one module for each family of commands."""

LARGEST_ID = 2**63 - 1
"""Of any row; the database takes no larger number."""
