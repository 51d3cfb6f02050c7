"""The schema of the API: what handlers say of their parameters, bodies and answers, as one document."""
