"""The journal: lines of the record on local disk until the database has them."""
