"""Letters to refused applicants: the notice of adverse action, from a template that a lawyer can edit."""
