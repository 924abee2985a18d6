"""What a user of the whole system on a cluster relies on, tried on the cluster that `make up` makes."""
