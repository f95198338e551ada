"""Runs the cells of rebuild_flow.ipynb on each model file given (default: two_moons.nc) and fails if NumPy's draws or
log-densities differ from those in the file. Needs numpy and netCDF4."""
import json
import pathlib
import sys

here = pathlib.Path(__file__).parent
cells = json.loads((here / "rebuild_flow.ipynb").read_text())["cells"]
source = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
for file in sys.argv[1:] or [here / "two_moons.nc"]:
    print(file)
    exec(compile(source, "rebuild_flow.ipynb", "exec"), {"FILE": str(file), "__name__": "__main__"})
