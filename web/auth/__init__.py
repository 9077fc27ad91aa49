"""Who may ask what: people and their sessions, the rules of routes, the origin of a request, headers of answers."""
