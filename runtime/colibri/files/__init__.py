"""Files to texts: what is found in folders (`walk`), what is in a file (`readers`), and an index kept up to date with
both (`sync`)."""
