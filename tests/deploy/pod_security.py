"""What the Pod Security Standard `restricted` requires of a container, and this project."""

from tests.deploy.dockerfile import ROOT, stages
from tests.deploy.manifests import Manifest

USER, GROUP = map(int, stages(ROOT / "Dockerfile")[-1].one("USER").split(":"))
"""Of the image."""


def assert_is_restricted(container: Manifest, pod: Manifest) -> None:
    """Check the security context of the exporter; that of the pod has what it lacks."""
    context = pod.get("securityContext", {}) | container["securityContext"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert context["runAsNonRoot"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}


def assert_has_the_user_of_the_image(container: Manifest) -> None:
    """Check the numbers, which the image has without a name."""
    context = container["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (USER, GROUP)
