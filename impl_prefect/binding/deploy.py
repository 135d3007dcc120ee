"""Register a deployment for each declared graph, all of the one flow that conducts them."""

from pathlib import Path

from prefect import deploy, flow

from core.declaration import bound

if __name__ == "__main__":
    conduct = flow.from_source(source=str(Path(__file__).parent), entrypoint="binding.py:conduct")
    deploy(
        *(conduct.to_deployment(name=offer.name, parameters={"offered": offer.name}) for offer in bound()),
        work_pool_name="local",
    )
