"""A rush: invented visitors, impatient ones and scripts wait in the queue of a sale and book, through the whole site."""
