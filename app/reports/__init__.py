"""What decisions and their outcomes say of the models, and of how groups fare."""
