"""Who may ask what: the origin of a request, and the headers of every answer."""
