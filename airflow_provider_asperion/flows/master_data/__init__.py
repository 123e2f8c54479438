"""Customers and products from SAP's files into Asperion: what a file says is written, nothing is emptied."""
