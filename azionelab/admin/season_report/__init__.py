"""The season report and the figures of each year: as pages, PDF and files for spreadsheets."""
