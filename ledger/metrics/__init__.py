"""What a process counts while it works, as Prometheus reads it. Handed in as an argument, never global."""
