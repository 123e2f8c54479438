"""Orders, invoices, products, stock and customers between Asperion and SAP, on Apache Airflow."""

__version__ = "0.1.0"
