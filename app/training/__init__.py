"""From applicants' data to a registered model, let into production only through the gate."""
