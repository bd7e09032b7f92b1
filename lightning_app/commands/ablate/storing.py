"""The results of an ablation as artifacts of its parent run."""

import contextlib
from collections.abc import Sequence

import pandas as pd

from callbacks.plots.drawing.legible import legible
from callbacks.tracking import store_table
from lightning_app.commands.ablate.figures import figures_of
from lightning_app.commands.ablate.plan import Child, Plan
from lightning_app.commands.ablate.results import Results, collect
from lightning_app.commands.ablate.runs import Family
from lightning_app.commands.ablate.tables import columns_of, markdown_of
from lightning_app.store.stored_run import open_stored_run


def store_results(family: Family, plan: Plan, children: Sequence[Child]) -> Results | None:
    """Compare what is finished, and store it; None if the base or all others are missing.

    Args:
        family: The runs.
        plan: What is compared.
        children: The runs of the plan.

    Raises:
        ValueError: If the runs share no image.
    """
    found = [(child, family.find(child)) for child in children]
    done = [(c, run) for c, run in found if run and family.is_done(run, plan.split)]
    done.sort(key=lambda pair: plan.names.index(pair[0].variation))
    if not done or done[0][0].variation != plan.base_name:
        return None
    with contextlib.ExitStack() as stack:
        records = [
            (child.variation, child.seed, stack.enter_context(open_stored_run(family.client, run)))
            for child, run in done
        ]
        results = collect(records, plan.split)
    client, run_id, columns = family.client, family.parent_id, columns_of(results)
    store_table(client, run_id, columns, "ablation")
    client.log_text(run_id, pd.DataFrame(columns).to_csv(index=False), "ablation.csv")
    client.log_text(run_id, markdown_of(results), "ablation.md")
    for name, figure in figures_of(results, str(family.parent.info.run_name)):
        client.log_figure(run_id, legible(figure), f"figures/{name}.png")
    return results
