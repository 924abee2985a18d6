"""Tables of applicants in files: found, unpacked, read and checked alike for training and for batch scoring."""
