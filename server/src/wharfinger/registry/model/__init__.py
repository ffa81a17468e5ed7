"""What the registry knows: values, rules and typed refusals, without HTTP or SQL."""
