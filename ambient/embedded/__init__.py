"""PostgreSQL, Valkey and the supervisor of the embedded default. No Django here: it runs before settings."""
