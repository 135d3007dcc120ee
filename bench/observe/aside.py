"""Takes out of a result what may not stand beside the rest of it; nothing that was observed is thrown away."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from bench.contract.records import Evidence, Run, Sample, Strike, Verdict
from bench.observe.reading import FILES, decoder, load
from bench.observe.store import Store, storing
from core.instrument.artifacts import atomic

FOLDER = "put-aside"
Line = Run | Sample | Evidence | Verdict | Strike


def put_aside(store: Store, concerned: Callable[[Run | Sample | Evidence], bool]) -> None:
    """Move the lines that are concerned, with all that was said of their runs, to files of the same names in a folder
    beside. Killed in between, it is finished by doing it again: the runs, by which others are known, go last.
    """
    store.mend()
    runs = {one.run_id for one in load(store.folder, Run) if concerned(one)}

    def goes(one: Line) -> bool:
        return one.run_id in runs if isinstance(one, Verdict | Strike) else concerned(one)

    for kind, name in sorted(FILES.items(), key=lambda item: item[0] is Run):
        path, decode = store.folder / name, cast("Callable[[bytes], Line]", decoder(kind))
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        gone = [line for line in lines if goes(decode(line))]
        if not gone:
            continue
        with storing(store.folder):
            (store.folder / FOLDER).mkdir(exist_ok=True)
            with (store.folder / FOLDER / name).open("ab") as stream:
                stream.writelines(gone)
            with atomic(path) as temporary:
                temporary.write_bytes(b"".join(line for line in lines if line not in set(gone)))
