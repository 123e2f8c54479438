"""SAP's side: files in SAP's formats, and the drop folder they come through."""
