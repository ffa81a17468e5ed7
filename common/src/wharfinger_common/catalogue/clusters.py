"""What the ``ks`` commands of the command line refuse (WHF087x)."""

from typing import Final

from wharfinger_common.refusals import Entry

KUBECTL_MISSING: Final = Entry(
    code="WHF0870",
    status=0,
    message="kubectl is not installed, or not in the PATH.",
    meaning="The facts of a cluster are read with the kubectl of this machine, as its user.",
    causes=("kubectl is not installed", "It is in a folder that PATH does not name"),
    cure=("Install kubectl and point it to the cluster, then repeat the command.",),
)
KUBECTL_FAILED: Final = Entry(
    code="WHF0871",
    status=0,
    message="The cluster could not be read: {reason}",
    meaning="kubectl ended with an error, which the message repeats.",
    causes=(
        "No context of this name in the kubeconfig",
        "A sign-in to the cluster that has ended",
        "A cluster that cannot be reached",
    ),
    cure=("See which contexts there are: kubectl config get-contexts.",),
)
CONTEXT_UNKNOWN: Final = Entry(
    code="WHF0872",
    status=0,
    message="Your kubeconfig has no context named '{name}'.",
    meaning=(
        "A cluster is read through a context of kubectl; what colleagues registered of one is "
        "asked from the service, as somebody who is signed in."
    ),
    causes=(
        "The context has another name",
        "Another kubeconfig is meant: the variable KUBECONFIG names it",
        "Nobody is signed in, so the service could not be asked",
    ),
    cure=(
        "See which contexts there are: kubectl config get-contexts. Or sign in, and see what "
        "colleagues registered.",
    ),
)
