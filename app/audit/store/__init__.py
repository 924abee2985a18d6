"""The record in its database: connections, tables, inserts, queries and retention."""
