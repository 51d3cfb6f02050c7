"""What is shown of a process and its database to those who watch over them."""
