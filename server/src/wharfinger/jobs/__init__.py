"""Background work: rows in the database, claimed by one worker at a time, resumed after a crash."""
