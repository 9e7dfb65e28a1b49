"""Rows: what digitbot keeps, and for how long."""
