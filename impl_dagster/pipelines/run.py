"""What every run is given at launch."""

import dagster as dg


class Run(dg.ConfigurableResource):
    """The path of its configuration file."""

    config: str


RESOURCES = {"run": Run.configure_at_launch()}
