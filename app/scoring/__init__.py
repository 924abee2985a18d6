"""From an applicant's numbers to a decision. Pure: no I/O, no HTTP, no MLflow, no scikit-learn."""
