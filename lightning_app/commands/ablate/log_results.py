"""Results of an ablation as artifacts of its parent run."""

import contextlib
from collections.abc import Sequence

import pandas as pd

from callbacks.tracking import store_figure, store_table
from lightning_app.cli.child_runs.child_run import ChildRun
from lightning_app.cli.child_runs.parent_run import ParentRun
from lightning_app.commands.ablate.figures import result_figures
from lightning_app.commands.ablate.plan import Plan
from lightning_app.commands.ablate.results import AblationResults, compare_variations
from lightning_app.commands.ablate.tables import markdown_table, result_columns
from lightning_app.store.stored_run import open_stored_run


def log_results(
    parent: ParentRun, plan: Plan, children: Sequence[ChildRun]
) -> AblationResults | None:
    """Compare the finished runs, and log the tables and figures.

    Args:
        parent: The parent run.
        plan: What is compared.
        children: The runs of the plan.

    Returns:
        The results; None if the base has no finished run.

    Raises:
        ValueError: If the runs of the base share no image.
    """
    found = [(child, parent.find(child)) for child in children]
    done = [(c, run) for c, run in found if run and parent.is_done(run, (plan.split,))]
    done.sort(key=lambda pair: plan.names.index(pair[0].variation))
    if not done or done[0][0].variation != plan.base_name:
        return None
    with contextlib.ExitStack() as stack:
        records = [
            (child.variation, child.seed, stack.enter_context(open_stored_run(parent.client, run)))
            for child, run in done
        ]
        results = compare_variations(records, plan.split)
    client, run_id, columns = parent.client, parent.run_id, result_columns(results)
    store_table(client, run_id, columns, "ablation")
    client.log_text(run_id, pd.DataFrame(columns).to_csv(index=False), "ablation.csv")
    client.log_text(run_id, markdown_table(results), "ablation.md")
    for name, figure in result_figures(results, parent.name):
        store_figure(client, run_id, figure, f"figures/{name}.png")
    return results
