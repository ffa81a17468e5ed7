"""Refusals of registered clusters (WHF14xx)."""

from typing import Final

from wharfinger_common.refusals import Entry

CLUSTER_UNKNOWN: Final = Entry(
    code="WHF1401",
    status=404,
    control="CRK1401E",
    message="No cluster named '{name}' is registered in this account",
    meaning=(
        "The service knows of clusters what people register; it never looks into one by itself."
    ),
    causes=(
        "Nobody has registered the cluster yet",
        "It is registered under another name, or in another account",
        "Its registration was removed",
    ),
    cure=(
        "Ask somebody whose kubeconfig has the cluster to run 'ks cluster-register CLUSTER'; "
        "'ks clusters' lists what is registered.",
    ),
)
CLUSTER_NAME_INVALID: Final = Entry(
    code="WHF1402",
    status=400,
    control="CRK1402E",
    message="This cannot be the name of a cluster: {reason}",
    meaning="A cluster's name has 1 to 253 characters that can be seen.",
    causes=("An empty variable in a script", "A whole file instead of a name"),
    cure=("Give the name of the context in the kubeconfig, or another one with --name.",),
)
CLUSTER_FACT_INVALID: Final = Entry(
    code="WHF1403",
    status=400,
    control="CRK1403E",
    message="The fact '{fact}' of the cluster cannot be kept: {reason}",
    meaning=(
        "Facts of clusters and workers are short texts of characters that can be seen, since "
        "they are printed on the terminals of everybody in the account."
    ),
    causes=("A label of a node with odd characters", "A program that sends something else"),
    cure=("Correct the label in the cluster, then register it again.",),
)
TOO_MANY_WORKERS: Final = Entry(
    code="WHF1404",
    status=400,
    control="CRK1404E",
    message="The cluster has more than {limit} workers, which is all that are kept of one",
    meaning="How many workers of a cluster may be registered is bounded.",
    causes=("A very large cluster",),
    cure=("Ask the operator to raise cluster_workers.",),
)
CLUSTER_LIMIT_REACHED: Final = Entry(
    code="WHF1405",
    status=409,
    control="CRK1405E",
    message="The account has registered {limit} clusters, which is all it may register",
    meaning="The number of clusters of an account is bounded.",
    causes=("Registrations of clusters that are gone",),
    cure=(
        "Remove one with 'ks cluster-rm CLUSTER', or ask the operator to raise clusters_per_account.",
    ),
)
