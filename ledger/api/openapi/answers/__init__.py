"""What endpoints answer, as the schema shows it; the services that make the answers know nothing of it."""
