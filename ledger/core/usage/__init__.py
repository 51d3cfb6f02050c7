"""Usage in every form it is stated in, brought into one."""
