"""Ask people about the matches that policy sends to review.

Each match is a required action in the UI: Confirm, Reject, Exclude or Later. An answer is stored
at once and holds for all later re-matches. What nobody answers in time stays in the queue, and so
does everything when the run is killed. Seconds of both sides are in the question; the page shows
both players.
"""

from airflow.sdk import dag, task_group
from avm_airflow.operators.review import (
    OpenReviewsOperator,
    Question,
    ReviewOperator,
    StoreDecisionOperator,
    review_params,
)
from avm_airflow.schedule import DAG_DEFAULTS, at


@dag(
    schedule=at("0 6 * * *"),
    tags=["avm", "review"],
    doc_md=__doc__,
    params=review_params(),
    **DAG_DEFAULTS,
)
def avm_review() -> None:
    @task_group
    def ask(question: Question) -> None:
        answer = ReviewOperator(task_id="review", question=question)
        StoreDecisionOperator(task_id="store", answer=answer.output, pool="catalog")

    ask.expand(question=OpenReviewsOperator(task_id="open").output)


avm_review()
