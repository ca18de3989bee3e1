"""Everything here runs on a real control plane; only the node is a fake."""

from tests.kube.fixtures import (  # noqa: F401 - pytest finds them here
    api,
    cluster,
    kube_programs,
    namespace,
    namespace_prefix,
    node,
    own_cluster,
)
from tests.kube.release import helm  # noqa: F401
