"""Mathematics on arrays that knows no finance: the normal law, its tails, and time as a year fraction."""

from bank_python.numerics.day_count import act_365f, add_years
from bank_python.numerics.error_function import erfcx
from bank_python.numerics.lanes import FloatArray, Numbers
from bank_python.numerics.normal import normal_cdf, normal_pdf, normal_quantile

__all__ = [
    "FloatArray",
    "Numbers",
    "act_365f",
    "add_years",
    "erfcx",
    "normal_cdf",
    "normal_pdf",
    "normal_quantile",
]
