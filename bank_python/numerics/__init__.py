"""Numerical methods without finance: distributions, roots, quadrature, interpolation, matrices, optimisation, dates."""

from bank_python.completion import public_names
from bank_python.deprecation import old_names
from bank_python.numerics.calendars import NEW_YORK, NYSE, TARGET, WEEKENDS_ONLY, Calendar, Roll
from bank_python.numerics.columns import FloatArray, Numbers
from bank_python.numerics.critical_line import CriticalLine, critical_line
from bank_python.numerics.day_count import DayCount, act_365f, add_years, year_fraction
from bank_python.numerics.drawdowns import drawdowns
from bank_python.numerics.error_function import erfcx
from bank_python.numerics.freed_memory import keep_freed_memory
from bank_python.numerics.interior_point import PenaltySolution, solve_penalties
from bank_python.numerics.interpolation import Extrapolation, Linear, LogLinear, MonotoneCubic
from bank_python.numerics.least_squares import LeastSquares, least_squares
from bank_python.numerics.line_minimum import LineMinimum, line_minimum
from bank_python.numerics.linkage import LinkageMethod, linkage
from bank_python.numerics.matrices import cholesky, nearest_correlation, nearest_psd, semidefinite_root
from bank_python.numerics.multiple_tests import holm_p_values
from bank_python.numerics.normal import normal_cdf, normal_pdf, normal_quantile
from bank_python.numerics.qp import QpSolution, solve_qp
from bank_python.numerics.qp_program import QuadraticProgram
from bank_python.numerics.quadrature import Rule, gauss_hermite, gauss_laguerre, gauss_legendre
from bank_python.numerics.roots import find_edge, find_root, find_roots
from bank_python.numerics.schedule import Schedule, Tenor, make_schedule
from bank_python.numerics.student_t import student_t_cdf, student_t_quantile

__all__ = [
    "NEW_YORK",
    "NYSE",
    "TARGET",
    "WEEKENDS_ONLY",
    "Calendar",
    "CriticalLine",
    "DayCount",
    "Extrapolation",
    "FloatArray",
    "LeastSquares",
    "LineMinimum",
    "Linear",
    "LinkageMethod",
    "LogLinear",
    "MonotoneCubic",
    "Numbers",
    "PenaltySolution",
    "QpSolution",
    "QuadraticProgram",
    "Roll",
    "Rule",
    "Schedule",
    "Tenor",
    "act_365f",
    "add_years",
    "cholesky",
    "critical_line",
    "drawdowns",
    "erfcx",
    "find_edge",
    "find_root",
    "find_roots",
    "gauss_hermite",
    "gauss_laguerre",
    "gauss_legendre",
    "holm_p_values",
    "keep_freed_memory",
    "least_squares",
    "line_minimum",
    "linkage",
    "make_schedule",
    "nearest_correlation",
    "nearest_psd",
    "normal_cdf",
    "normal_pdf",
    "normal_quantile",
    "semidefinite_root",
    "solve_penalties",
    "solve_qp",
    "student_t_cdf",
    "student_t_quantile",
    "year_fraction",
]

__dir__ = public_names(__name__)

__getattr__ = old_names(
    __name__, {"Beyond": "Extrapolation", "HingeSolution": "PenaltySolution", "solve_hinges": "solve_penalties"}
)
