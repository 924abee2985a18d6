"""How what the service costs grows with what there is of it: `python -m loadtests.growth`."""
