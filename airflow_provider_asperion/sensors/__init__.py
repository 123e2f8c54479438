"""Sensors: tasks that wait for SAP's files."""
