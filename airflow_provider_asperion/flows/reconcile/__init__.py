"""Reconciliation (X5): file = ledger = Asperion = SAP, in counts and amounts; differences by name."""
