"""What all flows from Asperion to SAP share: what changed, into which file, and that it is there once."""
