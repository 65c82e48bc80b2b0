"""data: compact generated tables (scripts/generate-tables); read by schema.py and protobuf_table.py, nothing else."""
