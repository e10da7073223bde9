"""Other programs of the theatre (its site, a sheet, a newsletter): their tokens and the API for staff."""
