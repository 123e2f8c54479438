"""Orders and invoices from SAP files to Asperion: prepare, deliver (decide, act), settle."""
