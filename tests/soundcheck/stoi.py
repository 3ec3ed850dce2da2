"""STOI of recordings: stoi.py FOLDER COUNT. FOLDER has 0.said, 0.heard, 1.said, … : 32-bit floats of 10 kHz, the same
moment in the same place. Writes a number for each on a line."""

import sys
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from pystoi import stoi

RATE = 10000


def of(name):
    said, heard = (np.fromfile(f"{name}.{side}", dtype="<f4").astype(float) for side in ("said", "heard"))
    length = min(len(said), len(heard))
    return stoi(said[:length], heard[:length], RATE)


if __name__ == "__main__":
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    with Pool() as pool:
        for found in pool.map(of, [folder / str(n) for n in range(count)]):
            print(f"{found:.6f}")
