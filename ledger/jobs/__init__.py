"""Work by the clock. What is due is read from the database, so a job that was missed is caught up with."""
