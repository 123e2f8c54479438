"""Operators, one module per entity; thin over the flows."""
