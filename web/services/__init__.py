"""What the service does, without Flask: uploads, plans, results."""
