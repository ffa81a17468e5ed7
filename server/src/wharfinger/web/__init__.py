"""What every HTTP surface shares: request id, authentication, limits, errors, draining."""
