"""The forms of a model: extracted from scikit-learn, compiled for one row, vectorised for many."""
