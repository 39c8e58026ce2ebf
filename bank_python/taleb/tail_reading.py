"""stub"""
from __future__ import annotations
import math
import numpy as np
from dataclasses import dataclass
@dataclass(frozen=True, slots=True)
class TailSide:
    alpha: float
    error: float
    k: int
    n_values: int
    reason: str
@dataclass(frozen=True, slots=True)
class TailReading:
    left: TailSide
    right: TailSide
    mad_sd: float
    max_to_sum: float
    deviation: float
    n_observations:int
def tail_reading(pnl):
    def side(x):
        x=np.sort(x[x>0])[::-1]
        if len(x)<50: return TailSide(math.nan, math.nan, 0, len(x), f"{len(x)} losses are too few")
        k=int(len(x)**.6)
        a=1/np.log(x[:k]/x[k]).mean()
        return TailSide(a,a/math.sqrt(k),k,len(x),"")
    d=pnl-pnl.mean()
    return TailReading(side(-pnl),side(pnl),float(np.abs(d).mean()/d.std()),float((pnl**2).max()/(pnl**2).sum()),float(d.std()),len(pnl))
