"""The tables of the record, their versions and their partitions."""
