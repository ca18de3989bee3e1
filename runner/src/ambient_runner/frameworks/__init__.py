"""The agent frameworks that come with the runner, one package each."""
