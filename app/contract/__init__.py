"""What an application is: the fields that a caller sends, and the risk factors that a model sees of them."""
