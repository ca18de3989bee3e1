"""Sessions on clusters that have the operator of the resources AgenticSession and ProjectSettings."""
