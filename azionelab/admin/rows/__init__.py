"""Lists and forms of rows, whatever the rows are: searching, filtering, editing by version."""
