"""What the Kubernetes runtime is made of: pure names, manifests and observations, and one thin client."""
